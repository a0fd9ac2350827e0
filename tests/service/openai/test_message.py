"""An answer as the Markdown of a chat message, read as programs read it."""

import html
import re

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from citewire.rag.types import Answers
from citewire.service.openai.message import escape, read_answer, unescape, write_message
from citewire.service.wire.answers import AnswerOut, AskResponse, CitationOut, SupportOut
from citewire.service.wire.convert import convert_result

BASE = "http://127.0.0.1:8000/"


def unescape_commonmark(markdown: str) -> str:
    """Undo escaping, by CommonMark's two rules."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))


def response_citing(
    contexts: list[tuple[str, int, int]], base: CitationOut, text: str = ""
) -> AskResponse:
    citations = [
        base.model_copy(
            update={
                "context": context,
                "context_start": 7,
                "start": 7 + first,
                "end": 7 + last,
                "quote": context[first:last],
                "title": context,
            }
        )
        for context, first, last in contexts
    ]
    answer = AnswerOut(
        text=text or citations[0].quote,
        confidence=0.5,
        support=SupportOut(articles=1),
        citations=citations,
    )
    return AskResponse.model_construct(reason=None, answers=[answer], closest=[])


TEXTS = st.one_of(
    st.text(min_size=1, max_size=40),
    st.text(alphabet="*_`[]()<>#!|~&;\\$@:/w. \n\r\t-+1🎉é»", min_size=1, max_size=40),
)


@st.composite
def quotations(draw: st.DrawFn) -> tuple[str, int, int]:
    context = draw(TEXTS)
    first = draw(st.integers(0, len(context) - 1))
    return context, first, draw(st.integers(first + 1, len(context)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(contexts=st.lists(quotations(), min_size=1, max_size=3))
def test_every_annotation_reads_as_its_citation(
    answered: Answers, contexts: list[tuple[str, int, int]]
) -> None:
    base = convert_result(answered, "r").answers[0].citations[0]
    message = write_message(response_citing(contexts, base), BASE)

    assert len(message.annotations) == len(contexts)
    for note, (context, first, last) in zip(message.annotations, contexts, strict=True):
        place = note.url_citation
        stretch = message.text[place.start_index : place.end_index]
        assert (
            unescape_commonmark(stretch)
            == f"{context[:first]}»{context[first:last]}«{context[last:]}"
        )


@settings(deadline=None)
@given(text=st.text(alphabet="*_`[]()<>#!|~&;\\$@:/w. -+1🎉é»ab", min_size=1, max_size=40))
def test_escaped_text_reads_verbatim_as_markdown(text: str) -> None:
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shown = markdown.renderInline(f"({escape(text)})")

    assert html.unescape(shown) == f"({text})"
    assert not re.search(r"<\w", shown)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=TEXTS, asked_as=st.one_of(st.just(""), TEXTS), contexts=st.lists(quotations(), min_size=1)
)
@example("**a** (", "**b** (likely)\n**c** (", [("**d** (", 0, 3)])
def test_the_answer_of_a_message_is_read_back(
    answered: Answers, text: str, asked_as: str, contexts: list[tuple[str, int, int]]
) -> None:
    base = convert_result(answered, "r").answers[0].citations[0]
    message = write_message(response_citing(contexts, base, text), BASE, asked_as)
    assert read_answer(message.text) == text


@given(text=TEXTS)
def test_escaped_text_is_read_back(text: str) -> None:
    assert unescape(escape(text)) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
@example("&#65; \\& a\nb")
def test_answer_is_read_back_from_its_message(text: str) -> None:
    assert read_answer(f"**{escape(text)}** (likely, 66 %, said by 1 article)\n\n") == text
