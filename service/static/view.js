// One exchange of the conversation: the question, and under it whatever came of it.

import { slice, utf16Index } from "./codepoints.js";
import { button, element, marked, verbatim } from "./dom.js";
import { confidenceInWords, counted, dateInWords, reasonInWords, secondsInWords } from "./words.js";

// More sources than this are folded away: the answer must not drown in its evidence.
const CITATIONS_SHOWN = 3;

/** A question in the log; `reply(node)` replaces what stands under it. */
export function createTurn(question) {
  const heading = element("h2", { class: "question", dir: "auto", tabindex: "-1" }, ...verbatim(question));
  const replies = element("div", { class: "reply" });
  return {
    element: element("section", { class: "turn" }, heading, replies),
    heading,
    reply: (node) => replies.replaceChildren(node),
  };
}

/** The result in one sentence, for those who listen. */
export function spokenResult(result) {
  if (result.status === "no_answer") return `The archive does not say. ${reasonInWords(result.reason)}`;
  const [first] = result.answers;
  return `Answer: ${first.text}. ${confidenceInWords(first.confidence).text}, ${supportInWords(first)}.`;
}

/** The result for those who look; `open(citation, button)` is called when a citation is activated. */
export function resultView(result, open) {
  const body = result.status === "answered" ? answersView(result.answers, open) : noAnswerView(result, open);
  return element("div", { class: "result" }, ...body, provenance(result));
}

function answersView([main, ...others], open) {
  const views = [answerView(main, "main", open)];
  if (others.length > 0) {
    views.push(
      element("h3", { class: "aside-title" }, "Other answers in the archive"),
      element("p", { class: "aside-text" }, "Articles differ, or the question allows more than one answer."),
      ...others.map((answer) => answerView(answer, "other", open)),
    );
  }
  return views;
}

function answerView(answer, rank, open) {
  const { level, text } = confidenceInWords(answer.confidence);
  return element(
    "div",
    { class: `answer ${rank}` },
    element("p", { class: "answer-text", dir: "auto" }, ...verbatim(answer.text)),
    element(
      "p",
      { class: "answer-facts" },
      element("span", { class: `confidence ${level}` }, text),
      element("span", {}, supportInWords(answer)),
    ),
    ...citationsView(answer.citations, "citation", open),
  );
}

function supportInWords(answer) {
  return `said by ${counted(answer.support.articles, "article")}`;
}

function noAnswerView(result, open) {
  const views = [
    element("p", { class: "no-answer" }, "The archive does not say."),
    element("p", { class: "no-answer-reason" }, reasonInWords(result.reason)),
  ];
  const closest = result.closest ?? [];
  if (closest.length > 0) {
    views.push(
      element("h3", { class: "aside-title" }, "Closest passages, not answers"),
      ...citationsView(closest, "citation weak", open),
    );
  }
  return views;
}

function citationsView(citations, kind, open) {
  const items = citations.map((citation) => element("li", {}, citationView(citation, kind, open)));
  const folded = items.slice(CITATIONS_SHOWN);
  const views = [element("ol", { class: "citations" }, ...items.slice(0, CITATIONS_SHOWN))];
  if (folded.length > 0) {
    const summary = element("summary", {}, counted(folded.length, "more source"));
    views.push(element("details", { class: "more" }, summary, element("ol", { class: "citations" }, ...folded)));
  }
  return views;
}

let citationsMade = 0;

function citationView(citation, kind, open) {
  citationsMade += 1;
  const id = `citation-${citationsMade}`;
  const node = button(
    // Named by its title and described by the rest: the name alone would be a paragraph.
    { class: kind, "aria-haspopup": "dialog", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-facts ${id}-context` },
    () => open(citation, node),
    element("bdi", { class: "citation-title", id: `${id}-title` }, ...verbatim(citation.title)),
    element("span", { class: "citation-facts", id: `${id}-facts` }, ...sourceFacts(citation)),
    element("span", { class: "citation-context", id: `${id}-context`, dir: "auto" }, ...contextOf(citation)),
  );
  return node;
}

/** Source and date of a citation or an article, as far as known. */
export function sourceFacts({ source, published_at: published }) {
  const facts = [];
  if (source !== null) facts.push(factView(source));
  if (published !== null) facts.push(element("time", { datetime: published }, dateInWords(published)));
  return facts;
}

export function factView(text) {
  return element("span", {}, element("bdi", {}, ...verbatim(text)));
}

function contextOf({ context, context_start: contextStart, start, end, quote }) {
  // A mark in the wrong place is worse than none.
  if (slice(context, start - contextStart, end - contextStart) !== quote) return verbatim(context);
  return marked(context, utf16Index(context, start - contextStart), utf16Index(context, end - contextStart));
}

function provenance({ searched, timing_ms: timing }) {
  return element("p", { class: "provenance" }, `${counted(searched.articles, "article")} searched in ${secondsInWords(timing.total)}`);
}
