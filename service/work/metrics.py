"""Metrics of the service in Prometheus' text format."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

from citewire.rag.types import Answers, NoAnswer, Reason

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGE_SECONDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "citewire_requests", "Requests by status.", ["status"], registry=self._registry
        )
        self._open = Gauge(
            "citewire_requests_running", "Requests not yet answered.", registry=self._registry
        )
        self._problems = Counter(
            "citewire_problems", "Refusals and errors.", ["problem"], registry=self._registry
        )
        self._questions = Counter(
            "citewire_questions", "Questions by outcome.", ["status"], registry=self._registry
        )
        self._abstentions = Counter(
            "citewire_abstentions", "Why no answer was given.", ["reason"], registry=self._registry
        )
        self._cached = Counter(
            "citewire_cache_lookups", "Answers looked for.", ["result"], registry=self._registry
        )
        self._stages = Histogram(
            "citewire_stage_seconds",
            "How long a question waits, and how long finding and reading passages takes.",
            ["stage"],
            buckets=STAGE_SECONDS,
            registry=self._registry,
        )
        # Series exist before their first event, so that rates have a start.
        for status in ("answered", "no_answer"):
            self._questions.labels(status)
        for result in ("hit", "miss"):
            self._cached.labels(result)
        for reason in Reason:
            self._abstentions.labels(reason.value)
        for stage in ("wait", "retrieve", "read"):
            self._stages.labels(stage)

    def show_state(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read whenever the metrics are."""
        Gauge(f"citewire_{name}", meaning, registry=self._registry).set_function(read)

    def show_models(self, models: dict[str, str]) -> None:
        """Add the names of the models."""
        Info("citewire_models", "The models.", registry=self._registry).info(models)

    def count_arrival(self) -> None:
        """Count a request that has come in."""
        self._open.inc()

    def count_response(self, status: int, problem: str | None) -> None:
        """Count a request that is over, by its status and the type of its problem, if any."""
        self._open.dec()
        self._requests.labels(str(status)).inc()
        if problem is not None:
            self._problems.labels(problem.removeprefix("/problems/")).inc()

    def observe_wait(self, seconds: float) -> None:
        """Record how long a question waited for its turn."""
        self._stages.labels("wait").observe(seconds)

    def count_result(self, result: Answers | NoAnswer) -> None:
        """Count a question by its outcome, and record the durations of its stages."""
        searched = result.searched
        self._questions.labels("no_answer" if isinstance(result, NoAnswer) else "answered").inc()
        self._cached.labels("hit" if searched.cached else "miss").inc()
        if isinstance(result, NoAnswer):
            self._abstentions.labels(result.reason.value).inc()
        if not searched.cached:
            self._stages.labels("retrieve").observe(searched.retrieve_ms / 1000)
            self._stages.labels("read").observe(searched.read_ms / 1000)

    def render(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)
