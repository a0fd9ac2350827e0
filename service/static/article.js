// The article beside the conversation: opened at a citation, and checked against it.

import { fetchArticle } from "./api.js";
import { slice, utf16Index } from "./codepoints.js";
import { element, marked, verbatim } from "./dom.js";
import { busyNotice, problemNotice } from "./notices.js";
import { factView, sourceFacts } from "./view.js";

// Below this width the article covers the page, as a modal sheet; app.css knows it too.
const BESIDE = window.matchMedia("(min-width: 64rem)");

// Where the mark stands in the free height: high enough that what follows is seen too.
const MARK_POSITION = 0.3;

// Lines up to the next blank line.
const PARAGRAPH = /[^\n]+(?:\n[^\n]+)*/g;

const NOTHING = { start: 0, end: 0 };

export class ArticlePanel {
  #dialog = document.getElementById("article");
  #title = document.getElementById("article-title");
  #head = this.#dialog.querySelector(".article-head");
  #about = document.getElementById("article-about");
  #text = document.getElementById("article-text");
  #opener = null;
  #loading = new AbortController();

  constructor() {
    document.getElementById("article-close").addEventListener("click", () => this.close());
    this.#dialog.addEventListener("close", () => this.#closed());
    // A modal sheet closes on Escape by itself; beside the conversation we must listen.
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.close();
    });
    BESIDE.addEventListener("change", () => this.#fitWidth());
  }

  /** Show the citation's article with its span marked; closing returns focus to `opener`. */
  open(citation, opener) {
    this.#opener?.removeAttribute("aria-current");
    this.#opener = opener;
    opener.setAttribute("aria-current", "true");
    this.#title.replaceChildren(...verbatim(citation.title));
    if (!this.#dialog.open) this.#show();
    this.#load(citation);
  }

  close() {
    this.#dialog.close();
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

  #closed() {
    // The event comes late: after a change of width the dialog is open again by now.
    if (this.#dialog.open) return;
    this.#loading.abort();
    this.#empty();
    this.#opener.removeAttribute("aria-current");
    this.#opener.focus();
  }

  async #load(citation) {
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
      this.#about.replaceChildren(problemNotice(problem, () => this.#load(citation)));
      this.#title.focus();
      return;
    }
    this.#render(article, citation);
  }

  #render(article, citation) {
    const unchanged = isUnchanged(article, citation);
    this.#title.replaceChildren(...verbatim(article.title));
    this.#about.replaceChildren(factsView(article), unchanged ? foundNotice() : changedNotice());
    this.#text.lang = article.language;
    this.#text.replaceChildren(...paragraphs(article.text, unchanged ? citation : NOTHING));
    this.#dialog.scrollTop = 0;
    const mark = this.#text.querySelector("mark");
    if (mark === null) this.#title.focus();
    else this.#focusOn(mark);
  }

  #focusOn(mark) {
    mark.tabIndex = -1;
    // Scrolled by hand: scrollIntoView would also move the conversation.
    mark.focus({ preventScroll: true });
    const height = this.#dialog.clientHeight;
    const covered = Math.min(this.#head.offsetHeight, height / 2);
    const fromTop = mark.getBoundingClientRect().top - this.#dialog.getBoundingClientRect().top;
    this.#dialog.scrollTop = fromTop - covered - (height - covered) * MARK_POSITION;
  }

  #empty() {
    this.#about.replaceChildren();
    this.#text.replaceChildren();
  }
}

function isUnchanged(article, citation) {
  return (
    article.sha256 === citation.article_sha256 &&
    slice(article.text, citation.start, citation.end) === citation.quote
  );
}

function factsView(article) {
  const facts = sourceFacts(article);
  if (article.author !== null) facts.push(factView(article.author));
  const link = linkTo(article.url);
  if (link !== null) facts.push(link);
  return element("p", { class: "article-facts" }, ...facts);
}

/** A link that opens the original, or null unless the address is a web address. */
function linkTo(address) {
  const url = URL.parse(address ?? "");
  if (url === null || !["http:", "https:"].includes(url.protocol)) return null;
  return element(
    "a",
    { href: url.href, target: "_blank", rel: "noreferrer noopener" },
    `Original at ${url.hostname}`,
    element("span", { class: "unseen" }, " (opens in a new tab)"),
  );
}

function foundNotice() {
  return element("p", { class: "found" }, "The marked words stand in this article exactly as quoted.");
}

function changedNotice() {
  return element("p", { class: "changed" }, "This article has changed since the answer was given, so nothing is marked.");
}

/** The canonical text in paragraphs, the span `[start, end)` (code points) marked in each it touches. */
function paragraphs(text, { start, end }) {
  const from = utf16Index(text, start);
  const to = utf16Index(text, end);
  return [...text.matchAll(PARAGRAPH)].map(({ 0: paragraph, index }) => {
    const first = Math.max(from - index, 0);
    const last = Math.min(to - index, paragraph.length);
    const words = first < last ? marked(paragraph, first, last) : verbatim(paragraph);
    return element("p", { dir: "auto" }, ...words);
  });
}
