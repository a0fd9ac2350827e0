// @ts-check
// A turn of the conversation on the page: the question, and under it the reply.

import { renderCitations } from "./citations.js";
import { createElement, renderVerbatim } from "./dom.js";
import { describeFilters } from "./filters.js";
import { renderRewrite } from "./rewriting.js";
import { renderTrail } from "./trail.js";
import { CLOSEST, NO_ANSWER, OTHER_ANSWERS } from "./words.js";
import { formatConfidence, formatCount, formatSeconds } from "./words.js";

/** @import { Actions, Answer, AskResponse, CitationActions, Turn } from "./types.js" */

/**
 * A turn on the page.
 * @typedef {object} TurnView
 * @property {HTMLElement} element
 * @property {HTMLElement} heading the question
 * @property {(...nodes: Node[]) => void} reply replaces the reply
 */

/**
 * Create a turn that shows only its question.
 * @param {string} question
 * @returns {TurnView}
 */
export function createTurnView(question) {
  const attributes = { class: "question", dir: "auto", tabindex: "-1" };
  const heading = createElement("h2", attributes, ...renderVerbatim(question));
  const replies = createElement("div", { class: "reply" });
  return {
    element: createElement("section", { class: "turn" }, heading, replies),
    heading,
    reply: (...nodes) => replies.replaceChildren(...nodes),
  };
}

/**
 * Return the result in one sentence, for screen readers.
 * @param {Turn} turn
 */
export function describeResult({ question, askedAs, result }) {
  const asked = askedAs === question ? "" : `Asked as: ${askedAs} `;
  const [best] = result.answers;
  if (best === undefined) return `${asked}${NO_ANSWER} ${result.explanation}`;
  return `${asked}Answer: ${best.text}. ${formatConfidence(best)}, ${best.support.text}.`;
}

/**
 * Render a turn whose result is known.
 * @param {Turn} turn
 * @param {Actions} actions
 */
export function renderTurn(turn, actions) {
  const { result } = turn;
  const body =
    result.answers.length > 0
      ? renderAnswers(result.answers, actions)
      : renderNoAnswer(result, actions);
  const parts = [...body, ...renderTrail(turn, actions), renderProvenance(turn)];
  return [
    ...renderRewrite(turn, actions.askAs),
    createElement("div", { class: "result" }, ...parts),
  ];
}

/**
 * Render the answers, as far as they are known.
 * @param {Answer[]} answers
 * @param {CitationActions} actions
 */
export function renderAnswers(answers, actions) {
  const [best, ...others] = answers.map((answer, position) =>
    renderAnswer(answer, position === 0 ? "main" : "other", actions),
  );
  if (best === undefined) return [];
  if (others.length === 0) return [best];
  const about = "Articles differ, or the question allows more than one answer.";
  return [
    best,
    createElement("h3", { class: "aside-title" }, OTHER_ANSWERS),
    createElement("p", { class: "aside-text" }, about),
    ...others,
  ];
}

/**
 * @param {Answer} answer
 * @param {"main" | "other"} rank
 * @param {CitationActions} actions
 */
function renderAnswer(answer, rank, actions) {
  const confidence = { class: "confidence", "data-likelihood": answer.likelihood };
  return createElement(
    "div",
    { class: `answer ${rank}` },
    createElement("p", { class: "answer-text", dir: "auto" }, ...renderVerbatim(answer.text)),
    createElement(
      "p",
      { class: "answer-facts" },
      createElement("span", confidence, formatConfidence(answer)),
      createElement("span", {}, answer.support.text),
    ),
    ...renderCitations(answer.citations, "citation", actions),
  );
}

/**
 * @param {AskResponse} result
 * @param {CitationActions} actions
 */
function renderNoAnswer({ explanation, closest = [] }, actions) {
  /** @type {HTMLElement[]} */
  const views = [
    createElement("p", { class: "no-answer" }, NO_ANSWER),
    createElement("p", { class: "no-answer-reason" }, explanation ?? ""),
  ];
  if (closest.length > 0) {
    views.push(
      createElement("h3", { class: "aside-title" }, CLOSEST),
      ...renderCitations(closest, "citation weak", actions),
    );
  }
  return views;
}

/** @param {Turn} turn */
function renderProvenance({ filters, result: { searched, timing_ms: timing } }) {
  const articles = formatCount(searched.articles, "article");
  const words = `${articles} in the archive, searched in ${formatSeconds(timing.total)}`;
  const only = describeFilters(filters);
  if (only === "") return createElement("p", { class: "provenance" }, words);
  const choice = createElement("bdi", {}, ...renderVerbatim(only));
  return createElement("p", { class: "provenance" }, words, ", only ", choice);
}
