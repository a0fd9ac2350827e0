// What leaves the page as text: one quote with its link, or the whole conversation as Markdown.

import { element } from "./dom.js";
import { filtersInWords } from "./filters.js";
import { confidenceInWords, dateInWords } from "./words.js";

/** “sentence” — title, source, date, then the permanent address of the evidence. */
export function quoteText(citation) {
  const address = evidenceAddress(citation);
  return `“${oneLine(citation.context)}” — ${origin(citation)}${address === null ? "" : `\n${address}`}`;
}

/** Put text on the clipboard; say whether that was possible. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

// Browsers have no clipboard for pages that come over plain HTTP from another machine.
function copySelected(text) {
  const field = element("textarea", { class: "unseen", "aria-hidden": "true" }, text);
  const focused = document.activeElement;
  // Behind a modal dialog nothing can be selected.
  (focused.closest("dialog") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused.focus();
  return done;
}

/** The permanent address of a citation, null for what has none. */
export function evidenceAddress({ evidence }) {
  // Relative, like all of the page's addresses: the service may be behind a prefix.
  return evidence === undefined ? null : new URL(evidence.replace(/^\//u, ""), document.baseURI).href;
}

/** The conversation as a Markdown document. */
export function conversationMarkdown(exchanges) {
  return ["# Questions to the archive", ...exchanges.map(exchangeMarkdown)].join("\n\n") + "\n";
}

function exchangeMarkdown({ question, askedAs, filters, result }) {
  const parts = [`## ${plain(question)}`];
  if (askedAs !== question) parts.push(`*Asked as: ${plain(askedAs)}*`);
  const only = filtersInWords(filters);
  if (only !== "") parts.push(`*Searched only: ${plain(only)}*`);
  if (result.status === "answered") parts.push(...result.answers.map(answerMarkdown));
  else {
    parts.push(`**The archive does not say.** ${result.explanation}`);
    if (result.closest?.length > 0) parts.push("Closest passages, not answers:", ...result.closest.map(citationMarkdown));
  }
  return parts.join("\n\n");
}

function answerMarkdown(answer) {
  const facts = `${confidenceInWords(answer)}, ${answer.support.text}`;
  return [`**${plain(answer.text)}** (${facts})`, ...answer.citations.map(citationMarkdown)].join("\n\n");
}

function citationMarkdown(citation) {
  const address = evidenceAddress(citation);
  return `> ${plain(citation.context)}\n>\n> — ${plain(origin(citation))}${address === null ? "" : ` <${address}>`}`;
}

function origin({ title, source, published_at: published }) {
  return [title, source, published === null ? null : dateInWords(published)].filter((part) => part !== null).join(", ");
}

function oneLine(text) {
  return text.replace(/\s+/gu, " ").trim();
}

// Markup in the archive's words must not become markup in the document.
function plain(text) {
  return oneLine(text).replace(/[\\`*_[\]<>#|~!&]/gu, "\\$&");
}

export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/markdown;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
