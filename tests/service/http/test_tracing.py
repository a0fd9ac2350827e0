"""Traces reach a collector that speaks OTLP, and hold no more than the log does."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from starlette.testclient import TestClient

from citewire.service.app import build_app
from citewire.service.server import trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector(TraceServiceServicer):  # type: ignore[misc]
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.received = threading.Event()

    def Export(self, request: Any, context: object) -> ExportTraceServiceResponse:  # noqa: ARG002, N802
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        self.received.set()
        return ExportTraceServiceResponse()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    kept = Collector()
    server = grpc.server(ThreadPoolExecutor(1))
    add_TraceServiceServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    yield kept
    server.stop(None)


def test_request_is_a_span_of_its_clients_trace(pipeline: Any, collector: Collector) -> None:
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "set"}
    with trace(build_app(pipeline), environment) as app:
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        response = client.post("/v1/ask", json={"question": "Who is it?"}, headers=headers)
    assert collector.received.wait(60)
    (span,) = collector.spans
    attributes = {item.key: item.value for item in span.attributes}

    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert span.name == "POST /v1/ask"
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["citewire.read_ms"].double_value == 2.5
    assert attributes["citewire.request_id"].string_value == response.headers["x-request-id"]
    assert "Who is it?" not in str(span)


def test_nothing_is_traced_unless_it_is_configured(pipeline: Any) -> None:
    app = build_app(pipeline)

    with trace(app, {}) as served:
        assert served is app
