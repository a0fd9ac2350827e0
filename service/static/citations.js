// A citation: the words around the quote, where they are from, and what can be done with them.

import { slice, utf16Index } from "./codepoints.js";
import { button, element, marked, verbatim } from "./dom.js";
import { copy, evidenceAddress, quoteText } from "./quoting.js";
import { counted, dateInWords } from "./words.js";

// More sources than this are folded away: the answer must not drown in its evidence.
const CITATIONS_SHOWN = 3;

const COPIED_MS = 2000;

/** A list of citations; `act.open(citation, button)` and `act.tell(text)` are called for each. */
export function citationsView(citations, kind, act) {
  const items = citations.map((citation) => citationView(citation, kind, act));
  const folded = items.slice(CITATIONS_SHOWN);
  const views = [element("ol", { class: "citations" }, ...items.slice(0, CITATIONS_SHOWN))];
  if (folded.length > 0) {
    const summary = element("summary", {}, counted(folded.length, "more source"));
    views.push(element("details", { class: "more" }, summary, element("ol", { class: "citations" }, ...folded)));
  }
  return views;
}

let citationsMade = 0;

function citationView(citation, kind, act) {
  citationsMade += 1;
  const id = `citation-${citationsMade}`;
  const node = button(
    // Named by its title and described by the rest: the name alone would be a paragraph.
    { class: kind, "aria-haspopup": "dialog", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-facts ${id}-context` },
    () => act.open(citation, node),
    element("span", { class: "citation-context", id: `${id}-context`, dir: "auto" }, ...contextOf(citation)),
    element("bdi", { class: "citation-title", id: `${id}-title` }, ...verbatim(citation.title)),
    element("span", { class: "citation-facts", id: `${id}-facts` }, ...sourceFacts(citation), ...chanceOf(citation)),
  );
  return element("li", { class: "cited" }, node, actionsView(citation, act));
}

function actionsView(citation, { tell }) {
  const subject = element("span", { class: "unseen" }, " from ", element("bdi", {}, ...verbatim(citation.title)));
  const words = element("span", {}, "Copy quote");
  const copier = button({ class: "link", "data-action": "copy" }, async () => {
    const done = await copy(quoteText(citation));
    words.textContent = done ? "Copied" : "Not copied";
    tell(done ? "Copied the quote with its link." : "This browser does not let the page copy.");
    setTimeout(() => words.replaceChildren("Copy quote"), COPIED_MS);
  }, words, subject);
  const actions = element("p", { class: "citation-actions" }, copier);
  const address = evidenceAddress(citation);
  if (address !== null) {
    actions.append(element(
      "a",
      { class: "link", href: address, target: "_blank", rel: "noopener" },
      "Permanent link",
      element("span", { class: "unseen" }, ` to the quote (opens in a new tab)`),
    ));
  }
  return actions;
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

// Only what comes closest without being an answer has a confidence of its own.
function chanceOf({ percentage }) {
  return percentage === undefined ? [] : [element("span", {}, `${percentage} likely to answer`)];
}

function contextOf({ context, context_start: contextStart, start, end, quote }) {
  // A mark in the wrong place is worse than none.
  if (slice(context, start - contextStart, end - contextStart) !== quote) return verbatim(context);
  return marked(context, utf16Index(context, start - contextStart), utf16Index(context, end - contextStart));
}
