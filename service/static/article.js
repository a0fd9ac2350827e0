// The article beside the conversation: opened at a citation, and checked against it.

import { fetchArticle } from "./api.js";
import { factView, sourceFacts } from "./citations.js";
import { slice } from "./codepoints.js";
import { element, verbatim } from "./dom.js";
import { inOrder, markedParagraphs } from "./marks.js";
import { busyNotice, problemNotice } from "./notices.js";
import { evidenceAddress } from "./quoting.js";
import { counted } from "./words.js";

// Below this width the article covers the page, as a modal sheet; app.css knows it too.
const BESIDE = window.matchMedia("(min-width: 64rem)");

// Where the mark stands in the free height: high enough that what follows is seen too.
const MARK_POSITION = 0.3;

export class ArticlePanel {
  #dialog = document.getElementById("article");
  #title = document.getElementById("article-title");
  #head = this.#dialog.querySelector(".article-head");
  #about = document.getElementById("article-about");
  #text = document.getElementById("article-text");
  #steps = document.getElementById("steps");
  #place = document.getElementById("steps-place");
  #opener = null;
  #loading = new AbortController();
  #article = null;
  #marks = [];
  #current = null;

  constructor() {
    document.getElementById("article-close").addEventListener("click", () => this.close());
    document.getElementById("step-back").addEventListener("click", () => this.step(-1));
    document.getElementById("step-on").addEventListener("click", () => this.step(1));
    this.#dialog.addEventListener("close", () => this.#leave());
    BESIDE.addEventListener("change", () => this.#fitWidth());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /**
   * Show the citation's article with its span marked, and fainter those of `others`, which cite
   * the same article; closing returns focus to `opener`.
   */
  open(citation, opener, others) {
    this.#opener?.removeAttribute("aria-current");
    this.#opener = opener;
    opener.setAttribute("aria-current", "true");
    this.#title.replaceChildren(...verbatim(citation.title));
    if (!this.#dialog.open) this.#show();
    this.#load(citation, others);
  }

  close() {
    this.#dialog.close();
    // The dialog's own event comes late: a key pressed meanwhile may have moved the focus on.
    this.#leave();
  }

  /** Go on to another mark of the article, around its ends. */
  step(by) {
    if (this.#marks.length < 2) return;
    const place = this.#marks.indexOf(this.#current);
    this.#goTo(this.#marks.at((place + by) % this.#marks.length));
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

  /** Return to the opener; does nothing where that was done, or where the dialog is open again. */
  #leave() {
    const opener = this.#opener;
    if (opener === null || this.#dialog.open) return;
    this.#opener = null;
    this.#loading.abort();
    this.#empty();
    opener.removeAttribute("aria-current");
    opener.focus();
  }

  async #load(citation, others) {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#empty();
    this.#about.append(busyNotice("Opening the article…"));
    let article;
    try {
      article = await fetchArticle(citation.article_id, loading.signal);
    } catch (problem) {
      if (loading.signal.aborted) return;
      this.#about.replaceChildren(problemNotice(problem, () => this.#load(citation, others)));
      this.#title.focus();
      return;
    }
    this.#render(article, citation, others);
  }

  #render(article, citation, others) {
    this.#article = article;
    this.#title.replaceChildren(...verbatim(article.title));
    // A headline too long to be shown whole is scrolled, with the keyboard as well.
    this.#title.tabIndex = this.#title.scrollHeight > this.#title.clientHeight ? 0 : -1;
    this.#text.lang = article.language;
    if (!isUnchanged(article, citation)) {
      this.#about.replaceChildren(factsView(article, citation), changedNotice());
      this.#text.replaceChildren(...markedParagraphs(article.text, [], null));
      this.#title.focus();
      return;
    }
    this.#about.replaceChildren(factsView(article, citation), foundNotice(citation));
    const sound = others.filter((other) => isUnchanged(article, other));
    // Behind the others, so that it is the one kept where several have the same place.
    this.#marks = inOrder([...sound, citation].map(markOf));
    this.#goTo(this.#marks.find(({ start, end }) => start === citation.start && end === citation.end));
  }

  #goTo(mark) {
    this.#current = mark;
    this.#text.replaceChildren(...markedParagraphs(this.#article.text, this.#marks, mark));
    this.#steps.hidden = this.#marks.length < 2;
    this.#place.textContent = `${this.#marks.indexOf(mark) + 1} of ${counted(this.#marks.length, "mark")}`;
    this.#focusOn(this.#text.querySelector("mark.current"));
  }

  #focusOn(mark) {
    mark.tabIndex = -1;
    // Scrolled by hand: scrollIntoView would also move the conversation.
    mark.focus({ preventScroll: true });
    const height = this.#dialog.clientHeight;
    const covered = Math.min(this.#head.offsetHeight, height / 2);
    const fromTop = mark.getBoundingClientRect().top - this.#dialog.getBoundingClientRect().top;
    this.#dialog.scrollTop += fromTop - covered - (height - covered) * MARK_POSITION;
  }

  #empty() {
    this.#article = null;
    this.#marks = [];
    this.#steps.hidden = true;
    this.#about.replaceChildren();
    this.#text.replaceChildren();
    this.#dialog.scrollTop = 0;
  }
}

// A passage of the trail has no quote of its own: what is read is the whole of it.
function markOf({ start, end, quote }) {
  return { start, end, kind: quote === undefined ? "read" : "quote" };
}

function isUnchanged(article, { article_sha256: digest, start, end, quote }) {
  return article.sha256 === digest && (quote === undefined || slice(article.text, start, end) === quote);
}

function factsView(article, citation) {
  const facts = sourceFacts(article);
  if (article.author !== null) facts.push(factView(article.author));
  const original = webAddress(article.url);
  if (original !== null) facts.push(linkTo(original.href, `Original at ${original.hostname}`));
  const evidence = evidenceAddress(citation);
  if (evidence !== null) facts.push(linkTo(evidence, "Permanent link"));
  return element("p", { class: "article-facts" }, ...facts);
}

function linkTo(href, words) {
  const aside = element("span", { class: "unseen" }, " (opens in a new tab)");
  return element("span", {}, element("a", { href, target: "_blank", rel: "noreferrer noopener" }, words, aside));
}

/** The address of the original, null unless it is a web address. */
function webAddress(address) {
  const url = URL.parse(address ?? "");
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url : null;
}

function foundNotice({ quote }) {
  const words =
    quote === undefined
      ? "The marked passage was read for the question."
      : "The marked words stand in this article exactly as quoted.";
  return element("p", { class: "found" }, words);
}

function changedNotice() {
  return element("p", { class: "changed" }, "This article has changed since the answer was given, so nothing is marked.");
}
