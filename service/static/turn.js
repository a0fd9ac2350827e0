// One exchange of the conversation: the question, and under it whatever came of it.

import { citationsView } from "./citations.js";
import { element, verbatim } from "./dom.js";
import { filtersInWords } from "./filters.js";
import { readingView } from "./reading.js";
import { trailView } from "./trail.js";
import { confidenceInWords, counted, secondsInWords } from "./words.js";

/** A question in the log; `reply(...nodes)` replaces what stands under it. */
export function createTurn(question) {
  const heading = element("h2", { class: "question", dir: "auto", tabindex: "-1" }, ...verbatim(question));
  const replies = element("div", { class: "reply" });
  return {
    element: element("section", { class: "turn" }, heading, replies),
    heading,
    reply: (...nodes) => replies.replaceChildren(...nodes),
  };
}

/** The result in one sentence, for those who listen. */
export function spokenResult({ question, askedAs, result }) {
  const asked = askedAs === question ? "" : `Asked as: ${askedAs} `;
  if (result.status === "no_answer") return `${asked}The archive does not say. ${result.explanation}`;
  const [first] = result.answers;
  return `${asked}Answer: ${first.text}. ${confidenceInWords(first)}, ${first.support.text}.`;
}

/**
 * An exchange for those who look. `act` says what its controls do: `open(citation, button)`,
 * `askAs(question)`, `tell(text)`, `explain(exchange)`.
 */
export function exchangeView(exchange, act) {
  const { result, passages } = exchange;
  const body = result.status === "answered" ? answersView(result.answers, act) : noAnswerView(result, act);
  return [
    ...readingView(exchange, act.askAs),
    element("div", { class: "result" }, ...body, ...trailView(passages, exchange, act), provenance(exchange)),
  ];
}

/** Answers, before the whole result is known. */
export function answersView([main, ...others], act) {
  const views = [answerView(main, "main", act)];
  if (others.length > 0) {
    views.push(
      element("h3", { class: "aside-title" }, "Other answers in the archive"),
      element("p", { class: "aside-text" }, "Articles differ, or the question allows more than one answer."),
      ...others.map((answer) => answerView(answer, "other", act)),
    );
  }
  return views;
}

function answerView(answer, rank, act) {
  return element(
    "div",
    { class: `answer ${rank}` },
    element("p", { class: "answer-text", dir: "auto" }, ...verbatim(answer.text)),
    element(
      "p",
      { class: "answer-facts" },
      element("span", { class: "confidence", "data-likelihood": answer.likelihood }, confidenceInWords(answer)),
      element("span", {}, answer.support.text),
    ),
    ...citationsView(answer.citations, "citation", act),
  );
}

function noAnswerView(result, act) {
  const views = [
    element("p", { class: "no-answer" }, "The archive does not say."),
    element("p", { class: "no-answer-reason" }, result.explanation),
  ];
  const closest = result.closest ?? [];
  if (closest.length > 0) {
    views.push(
      element("h3", { class: "aside-title" }, "Closest passages, not answers"),
      ...citationsView(closest, "citation weak", act),
    );
  }
  return views;
}

function provenance({ filters, result: { searched, timing_ms: timing } }) {
  const words = `${counted(searched.articles, "article")} in the archive, searched in ${secondsInWords(timing.total)}`;
  const only = filtersInWords(filters);
  if (only === "") return element("p", { class: "provenance" }, words);
  return element("p", { class: "provenance" }, words, ", only ", element("bdi", {}, ...verbatim(only)));
}
