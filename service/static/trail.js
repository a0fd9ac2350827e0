// @ts-check
// The trail of an answer: the passages that were read for it, what each gave, how it was found.

import { renderOrigin } from "./citations.js";
import { createButton, createElement, renderVerbatim } from "./dom.js";
import { formatCount, formatOrdinal, formatShare } from "./words.js";

/** @import { Actions, AskResponse, FoundPassage, Passage, Turn } from "./types.js" */

/**
 * What a passage gave: whether an answer quotes it, and that in words.
 * @typedef {{ isQuoted: boolean, text: string }} Outcome
 */

/**
 * A passage on the page; `origin` has room for how it was found.
 * @typedef {{ node: HTMLElement, origin: HTMLElement }} PassageView
 */

/**
 * Render the trail, folded; how its passages were found is fetched when it is opened.
 * @param {Turn} turn
 * @param {Actions} actions
 */
export function renderTrail(turn, actions) {
  const { passages, result } = turn;
  if (passages.length === 0) return [];
  const views = passages.map((each) => renderPassage(each, findOutcome(each, result), actions));
  const items = views.map(({ node }) => createElement("li", {}, node));
  const unread = createElement("div", {});
  const trail = createElement(
    "details",
    { class: "trail" },
    createElement("summary", {}, `Why this? ${formatCount(passages.length, "passage")} read`),
    createElement(
      "p",
      { class: "aside-text" },
      "These came up for the question, the most promising first; the figure compares each with" +
        " the first. Those that were read and not quoted gave no answer that was sure enough.",
    ),
    createElement("ol", { class: "passages" }, ...items),
    unread,
  );
  async function showRanks() {
    const found = await actions.explain(turn);
    if (found === null) return;
    passages.forEach((passage, position) => {
      const rank = found.findIndex((hit) => isSame(hit, passage));
      const [item, view, hit] = [items[position], views[position], found[rank]];
      if (!item || !view || !hit) return;
      item.value = rank + 1;
      view.origin.replaceChildren(...describeRanks(hit));
    });
    unread.replaceChildren(...renderUnread(found, passages, actions));
  }
  trail.addEventListener("toggle", showRanks, { once: true });
  return [trail];
}

/**
 * @param {Passage | FoundPassage} passage
 * @param {Outcome} outcome
 * @param {Actions} actions
 * @returns {PassageView}
 */
function renderPassage(passage, { isQuoted, text }, actions) {
  // Opened as a passage: its text is no quote of an answer.
  const place = { ...passage, quote: undefined };
  /** @type {HTMLButtonElement} */
  const title = createButton(
    { class: "link passage-title", "aria-haspopup": "dialog" },
    () => actions.open(place, title),
    createElement("bdi", {}, ...renderVerbatim(passage.title)),
  );
  const bar = createElement("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(passage.score));
  const share = createElement("span", { class: "figure" }, formatShare(passage.score));
  const outcome = createElement("span", {}, ...renderVerbatim(text));
  const origin = createElement("p", { class: "passage-found" });
  const node = createElement(
    "div",
    { class: isQuoted ? "passage quoted" : "passage" },
    title,
    createElement("p", { class: "citation-facts" }, ...renderOrigin(passage)),
    createElement("p", { class: "passage-outcome" }, bar, share, outcome),
    origin,
  );
  return { node, origin };
}

/**
 * Render the passages that were found and not read, each with its rank among all found.
 * @param {FoundPassage[]} found
 * @param {Passage[]} read
 * @param {Actions} actions
 */
function renderUnread(found, read, actions) {
  const items = found.flatMap((hit, position) => {
    if (read.some((passage) => isSame(hit, passage))) return [];
    const outcome = { isQuoted: false, text: "found, not read" };
    const { node, origin } = renderPassage(hit, outcome, actions);
    origin.append(...describeRanks(hit));
    return [createElement("li", { value: String(position + 1) }, node)];
  });
  if (items.length === 0) return [];
  return [
    createElement("h4", { class: "aside-title" }, "Next in line"),
    createElement(
      "p",
      { class: "aside-text" },
      "Found as well, and not read: less promising, and not expected to change the answer.",
    ),
    createElement("ol", { class: "passages" }, ...items),
  ];
}

/**
 * Return a sentence with the passage's rank in dense and lexical search, where it has one.
 * @param {FoundPassage} hit
 */
function describeRanks({ legs }) {
  const ranks = [];
  if (legs?.dense_rank) ranks.push(`${formatOrdinal(legs.dense_rank)} by meaning`);
  if (legs?.lexical_rank) ranks.push(`${formatOrdinal(legs.lexical_rank)} by words`);
  return ranks.length === 0 ? [] : [`Found ${ranks.join(" and ")}.`];
}

/**
 * @param {Passage | FoundPassage} one
 * @param {Passage | FoundPassage} other
 */
function isSame(one, other) {
  return one.article_id === other.article_id && one.start === other.start && one.end === other.end;
}

/**
 * @param {Passage} passage
 * @param {AskResponse} result
 * @returns {Outcome}
 */
function findOutcome(passage, { answers, closest = [] }) {
  /** @param {{ article_id: string, start: number, end: number }} quote */
  const isInside = ({ article_id: id, start, end }) =>
    id === passage.article_id && passage.start <= start && end <= passage.end;
  const answer = answers.find(({ citations }) => citations.some(isInside));
  if (answer !== undefined) return { isQuoted: true, text: `quoted for “${answer.text}”` };
  const close = closest.find(isInside);
  if (close !== undefined) return { isQuoted: false, text: `closest words: “${close.quote}”` };
  return { isQuoted: false, text: "read, not quoted" };
}
