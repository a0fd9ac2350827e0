// @ts-check
// A citation: the words around the quote, their origin, and what can be done with them.

import { slice, toUtf16Index } from "./codepoints.js";
import { createButton, createElement, renderMarked, renderVerbatim } from "./dom.js";
import { copy, formatQuote, resolveEvidence } from "./export.js";
import { formatCount, formatDate } from "./words.js";

/** @import { Children, Citation, CitationActions } from "./types.js" */

// More citations than this are folded away, so that the evidence does not hide the answer.
const CITATIONS_SHOWN = 3;

// Milliseconds for which a button shows that its quote was copied.
const COPIED_MS = 2000;

/**
 * Render a list of citations; `kind` is the class of each.
 * @param {(Citation & { percentage?: string })[]} citations
 * @param {string} kind
 * @param {CitationActions} actions
 */
export function renderCitations(citations, kind, actions) {
  const items = citations.map((citation) => renderCitation(citation, kind, actions));
  const folded = items.splice(CITATIONS_SHOWN);
  /** @type {HTMLElement[]} */
  const views = [createElement("ol", { class: "citations" }, ...items)];
  if (folded.length > 0) {
    const summary = createElement("summary", {}, formatCount(folded.length, "more source"));
    const rest = createElement("ol", { class: "citations" }, ...folded);
    views.push(createElement("details", { class: "more" }, summary, rest));
  }
  return views;
}

let citationsCreated = 0;

/**
 * @param {Citation & { percentage?: string }} citation
 * @param {string} kind
 * @param {CitationActions} actions
 */
function renderCitation(citation, kind, actions) {
  citationsCreated += 1;
  const id = `citation-${citationsCreated}`;
  const context = { class: "citation-context", id: `${id}-context`, dir: "auto" };
  const title = { class: "citation-title", id: `${id}-title` };
  const facts = { class: "citation-facts", id: `${id}-facts` };
  /** @type {HTMLButtonElement} */
  const opener = createButton(
    {
      class: kind,
      "aria-haspopup": "dialog",
      // Named by its title only: with the sentence, the name would be a paragraph.
      "aria-labelledby": `${id}-title`,
      "aria-describedby": `${id}-facts ${id}-context`,
    },
    () => actions.open(citation, opener),
    createElement("span", context, ...renderContext(citation)),
    createElement("bdi", title, ...renderVerbatim(citation.title)),
    createElement("span", facts, ...renderOrigin(citation), ...renderChance(citation)),
  );
  return createElement("li", { class: "cited" }, opener, renderControls(citation, actions));
}

/**
 * @param {Citation} citation
 * @param {CitationActions} actions
 */
function renderControls(citation, { announce }) {
  const label = createElement("span", {}, "Copy quote");
  const title = createElement("bdi", {}, ...renderVerbatim(citation.title));
  const subject = createElement("span", { class: "unseen" }, " from ", title);
  async function copyQuote() {
    const done = await copy(formatQuote(citation));
    label.textContent = done ? "Copied" : "Not copied";
    announce(
      done ? "Copied the quote with its link." : "This browser does not let the page copy.",
    );
    setTimeout(() => label.replaceChildren("Copy quote"), COPIED_MS);
  }
  const copier = createButton({ class: "link", "data-action": "copy" }, copyQuote, label, subject);
  const controls = createElement("p", { class: "citation-actions" }, copier);
  const address = resolveEvidence(citation);
  if (address !== null) controls.append(renderPermanentLink(address));
  return controls;
}

/** @param {string} address */
function renderPermanentLink(address) {
  const aside = createElement("span", { class: "unseen" }, " to the quote (opens in a new tab)");
  const attributes = { class: "link", href: address, target: "_blank", rel: "noopener" };
  return createElement("a", attributes, "Permanent link", aside);
}

/**
 * Render the known ones of source and date.
 * @param {{ source: string | null, published_at: string | null }} origin
 */
export function renderOrigin({ source, published_at: published }) {
  /** @type {HTMLElement[]} */
  const facts = [];
  if (source !== null) facts.push(renderFact(source));
  if (published !== null) {
    facts.push(createElement("time", { datetime: published }, formatDate(published)));
  }
  return facts;
}

/** @param {string} text */
export function renderFact(text) {
  return createElement("span", {}, createElement("bdi", {}, ...renderVerbatim(text)));
}

/**
 * Render the probability that a closest passage answers; the confidence of answers is their own.
 * @param {{ percentage?: string }} citation
 */
function renderChance({ percentage }) {
  if (percentage === undefined) return [];
  return [createElement("span", {}, `${percentage} likely to answer`)];
}

/**
 * @param {Citation} citation
 * @returns {Children}
 */
function renderContext({ context, context_start: contextStart, start, end, quote }) {
  const [first, last] = [start - contextStart, end - contextStart];
  // A mark in the wrong place is worse than none.
  if (slice(context, first, last) !== quote) return renderVerbatim(context);
  return renderMarked(context, toUtf16Index(context, first), toUtf16Index(context, last));
}
