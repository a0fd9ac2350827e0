// @ts-check
// The article beside the conversation: opened at a citation, and checked against it.

import { Problem, fetchArticle } from "./api.js";
import { renderFact, renderOrigin } from "./citations.js";
import { slice } from "./codepoints.js";
import { createElement, findById, renderVerbatim } from "./dom.js";
import { resolveEvidence } from "./export.js";
import { renderParagraphs, sortMarks } from "./marks.js";
import { renderBusy, renderProblem } from "./notices.js";
import { formatCount } from "./words.js";

/** @import { Article, Mark, Place } from "./types.js" */

// From this width on the article stands beside the conversation; below, it covers the page as a
// modal sheet. article.css has the same width.
const BESIDE = window.matchMedia("(min-width: 64rem)");

// Share of the free height above the mark: what follows the mark is seen as well.
const MARK_POSITION = 0.3;

export class ArticlePanel {
  #dialog = findById("article", HTMLDialogElement);
  #title = findById("article-title", HTMLElement);
  #head = findById("article-head", HTMLElement);
  #about = findById("article-about", HTMLElement);
  #text = findById("article-text", HTMLElement);
  #steps = findById("steps", HTMLElement);
  #position = findById("steps-place", HTMLElement);
  /** @type {HTMLElement | null} */
  #opener = null;
  #loading = new AbortController();
  #shownText = "";
  /** @type {Mark[]} */
  #marks = [];
  /** @type {Mark | null} */
  #current = null;

  constructor() {
    findById("article-close", HTMLElement).addEventListener("click", () => this.close());
    findById("step-back", HTMLElement).addEventListener("click", () => this.step(-1));
    findById("step-on", HTMLElement).addEventListener("click", () => this.step(1));
    this.#dialog.addEventListener("close", () => this.#leave());
    BESIDE.addEventListener("change", () => this.#fitWidth());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /**
   * Show an article with this place marked, and fainter the others, which are in the same article;
   * closing returns the focus to `opener`.
   * @param {Place} place
   * @param {HTMLElement} opener
   * @param {Place[]} others
   */
  open(place, opener, others) {
    this.#opener?.removeAttribute("aria-current");
    this.#opener = opener;
    opener.setAttribute("aria-current", "true");
    this.#title.replaceChildren(...renderVerbatim(place.title));
    if (!this.#dialog.open) this.#show();
    this.#load(place, others);
  }

  close() {
    this.#dialog.close();
    // The dialog's own event comes late: a key pressed meanwhile may have moved the focus on.
    this.#leave();
  }

  /**
   * Go on to another mark of the article; the last is followed by the first.
   * @param {1 | -1} by
   */
  step(by) {
    if (this.#marks.length < 2 || this.#current === null) return;
    const position = this.#marks.indexOf(this.#current) + by;
    this.#goTo(this.#marks.at(position % this.#marks.length) ?? this.#current);
  }

  #show() {
    if (BESIDE.matches) this.#dialog.show();
    else this.#dialog.showModal();
  }

  #fitWidth() {
    if (!this.#dialog.open) return;
    this.#dialog.close();
    this.#show();
  }

  /** Return to the opener; do nothing where that was done, or where the dialog is open again. */
  #leave() {
    const opener = this.#opener;
    if (opener === null || this.#dialog.open) return;
    this.#opener = null;
    this.#loading.abort();
    this.#empty();
    opener.removeAttribute("aria-current");
    opener.focus();
  }

  /**
   * @param {Place} place
   * @param {Place[]} others
   */
  async #load(place, others) {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#empty();
    this.#about.append(renderBusy("Opening the article…"));
    try {
      this.#render(await fetchArticle(place.article_id, loading.signal), place, others);
    } catch (problem) {
      if (loading.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.#about.replaceChildren(renderProblem(problem, () => this.#load(place, others)));
      this.#title.focus();
    }
  }

  /**
   * @param {Article} article
   * @param {Place} place
   * @param {Place[]} others
   */
  #render(article, place, others) {
    this.#shownText = article.text;
    this.#title.replaceChildren(...renderVerbatim(article.title));
    // A headline that is too long to be shown whole is scrolled, with the keyboard as well.
    this.#title.tabIndex = this.#title.scrollHeight > this.#title.clientHeight ? 0 : -1;
    this.#text.lang = article.language;
    if (!isUnchanged(article, place)) {
      this.#about.replaceChildren(renderFacts(article, place), renderChanged());
      this.#text.replaceChildren(...renderParagraphs(article.text, [], null));
      this.#title.focus();
      return;
    }
    this.#about.replaceChildren(renderFacts(article, place), renderFound(place));
    const current = toMark(place);
    const unchanged = others.filter((other) => isUnchanged(article, other));
    // The last of those with the same place is kept, which must be the current one.
    this.#marks = sortMarks([...unchanged.map(toMark), current]);
    this.#goTo(current);
  }

  /** @param {Mark} mark */
  #goTo(mark) {
    this.#current = mark;
    this.#text.replaceChildren(...renderParagraphs(this.#shownText, this.#marks, mark));
    this.#steps.hidden = this.#marks.length < 2;
    const position = this.#marks.indexOf(mark) + 1;
    this.#position.textContent = `${position} of ${formatCount(this.#marks.length, "mark")}`;
    this.#focusCurrent();
  }

  #focusCurrent() {
    /** @type {HTMLElement | null} */
    const mark = this.#text.querySelector("mark.current");
    if (mark === null) return;
    mark.tabIndex = -1;
    // Scrolled here: scrollIntoView would also move the conversation.
    mark.focus({ preventScroll: true });
    const height = this.#dialog.clientHeight;
    const covered = Math.min(this.#head.offsetHeight, height / 2);
    const fromTop = mark.getBoundingClientRect().top - this.#dialog.getBoundingClientRect().top;
    this.#dialog.scrollTop += fromTop - covered - (height - covered) * MARK_POSITION;
  }

  #empty() {
    this.#shownText = "";
    this.#marks = [];
    this.#current = null;
    this.#steps.hidden = true;
    this.#about.replaceChildren();
    this.#text.replaceChildren();
    this.#dialog.scrollTop = 0;
  }
}

/**
 * Return the place as a mark; a passage has no quote of its own, and the whole of it was read.
 * @param {Place} place
 * @returns {Mark}
 */
function toMark({ start, end, quote }) {
  return { start, end, kind: quote === undefined ? "read" : "quote" };
}

/**
 * Return whether the article still has the text that the place was found in.
 * @param {Article} article
 * @param {Place} place
 */
function isUnchanged(article, { article_sha256: digest, start, end, quote }) {
  if (article.sha256 !== digest) return false;
  return quote === undefined || slice(article.text, start, end) === quote;
}

/**
 * @param {Article} article
 * @param {Place} place
 */
function renderFacts(article, place) {
  const facts = renderOrigin(article);
  if (article.author !== null) facts.push(renderFact(article.author));
  const original = parseWebAddress(article.url);
  if (original !== null) facts.push(renderLink(original.href, `Original at ${original.hostname}`));
  const evidence = resolveEvidence(place);
  if (evidence !== null) facts.push(renderLink(evidence, "Permanent link"));
  return createElement("p", { class: "article-facts" }, ...facts);
}

/**
 * @param {string} href
 * @param {string} words
 */
function renderLink(href, words) {
  const aside = createElement("span", { class: "unseen" }, " (opens in a new tab)");
  const attributes = { href, target: "_blank", rel: "noreferrer noopener" };
  return createElement("span", {}, createElement("a", attributes, words, aside));
}

/**
 * Return the address of the original; null unless it is a web address.
 * @param {string | null} address
 */
function parseWebAddress(address) {
  const url = URL.parse(address ?? "");
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url : null;
}

/** @param {Place} place */
function renderFound({ quote }) {
  const words =
    quote === undefined
      ? "The marked passage was read for the question."
      : "The marked words stand in this article exactly as quoted.";
  return createElement("p", { class: "found" }, words);
}

function renderChanged() {
  const words = "This article has changed since the answer was given, so nothing is marked.";
  return createElement("p", { class: "changed" }, words);
}
