"""OpenTelemetry traces, where an endpoint for them is configured in OpenTelemetry's variables."""

from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citewire.service.work.logs import QUESTION


class TracingMiddleware:
    """Makes a span of every request, in the client's trace where a `traceparent` names one.

    The span carries the fields of the request's log line, but never the question.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # OTEL_SERVICE_NAME goes before our name.
        own = Resource.create({SERVICE_VERSION: version("citewire"), SERVICE_NAME: "citewire"})
        self._provider = TracerProvider(resource=own)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("citewire")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = self._propagator.extract(dict(Headers(scope=scope)))
        with self._tracer.start_as_current_span(scope["method"], parent, SpanKind.SERVER) as span:

            async def send_observed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("url.path", scope["path"])
            await self._app(scope, receive, send_observed)
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                # By the route, not the path: the names of spans are to be few.
                span.update_name(f"{scope['method']} {route}")
            state = scope["state"]
            span.set_attribute("citewire.request_id", state["request_id"])
            for field, value in state["notes"].items():
                if field != QUESTION:
                    span.set_attribute(f"citewire.{field}", value)

    def close(self) -> None:
        """Send the spans that are left."""
        self._provider.shutdown()
