"""Questions to an opened pipeline, in their turn, with or without reports of progress."""

from collections.abc import Callable, Sequence

from citewire.rag.types import Answers, Hit, NoAnswer, Question
from citewire.rag.wiring import Pipeline
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.convert import convert_hits, convert_result
from citewire.service.wire.events import AskEvent, PassagesEvent, StatusEvent, StatusOut
from citewire.service.work.executor import QuestionExecutor

ReportEvent = Callable[[AskEvent], None]


class Asker:
    """Asks a pipeline off the event loop; raises as `QuestionExecutor.run` and the pipeline do."""

    def __init__(self, pipeline: Pipeline, questions: QuestionExecutor) -> None:
        self._answerer = pipeline.answerer
        self._questions = questions

    async def ask(self, question: Question, request_id: str) -> AskResponse:
        """Return the response of `/v1/ask`."""
        result = await self._questions.run(lambda: self._answerer.answer(question))
        return convert_result(result, request_id)

    async def ask_with_progress(
        self, question: Question, request_id: str, report: ReportEvent
    ) -> AskResponse:
        """Return the response; call `report` with stages and passages, in another thread."""

        def watch(hits: Sequence[Hit]) -> None:
            report(PassagesEvent(data=convert_hits(hits)))
            report(StatusEvent(data=StatusOut(stage="reading")))

        def work() -> Answers | NoAnswer:
            report(StatusEvent(data=StatusOut(stage="retrieving")))
            return self._answerer.answer(question, watch)

        return convert_result(await self._questions.run(work), request_id)
