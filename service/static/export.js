// @ts-check
// Text that leaves the page: one quote with its link, or the whole conversation as Markdown.

import { createElement } from "./dom.js";
import { describeFilters } from "./filters.js";
import { CLOSEST, NO_ANSWER, formatConfidence, formatDate } from "./words.js";

/** @import { Answer, AskResponse, Citation, Turn } from "./types.js" */

// Milliseconds until the memory of a downloaded file is freed; the browser has read it by then.
const DOWNLOAD_MS = 1000;

/**
 * Return “sentence” — title, source, date, then the permanent address of the evidence.
 * @param {Citation} citation
 */
export function formatQuote(citation) {
  const address = resolveEvidence(citation);
  const quote = `“${collapseSpaces(citation.context)}” — ${formatOrigin(citation)}`;
  return address === null ? quote : `${quote}\n${address}`;
}

/**
 * Put text on the clipboard; return whether that was possible.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/**
 * Copy by a selection: pages that come over plain HTTP from another machine have no clipboard.
 * @param {string} text
 */
function copySelected(text) {
  const field = createElement("textarea", { class: "unseen", "aria-hidden": "true" }, text);
  const focused = document.activeElement;
  // Nothing outside a modal dialog can be selected.
  (focused?.closest("dialog") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

/**
 * Return the permanent address of a quote; null for a passage, which has none.
 * @param {{ evidence?: string }} place
 */
export function resolveEvidence({ evidence }) {
  if (evidence === undefined) return null;
  // Relative, like all of the page's addresses: the service may be behind a prefix.
  return new URL(evidence.replace(/^\//u, ""), document.baseURI).href;
}

/**
 * Return the conversation as a Markdown document.
 * @param {Turn[]} turns
 */
export function formatConversation(turns) {
  return ["# Questions to the archive", ...turns.map(formatTurn)].join("\n\n") + "\n";
}

/** @param {Turn} turn */
function formatTurn({ question, askedAs, filters, result }) {
  const parts = [`## ${escape(question)}`];
  if (askedAs !== question) parts.push(`*Asked as: ${escape(askedAs)}*`);
  const only = describeFilters(filters);
  if (only !== "") parts.push(`*Searched only: ${escape(only)}*`);
  if (result.status === "answered") parts.push(...result.answers.map(formatAnswer));
  else parts.push(...formatNoAnswer(result));
  return parts.join("\n\n");
}

/** @param {AskResponse} result */
function formatNoAnswer({ explanation, closest = [] }) {
  const parts = [`**${NO_ANSWER}** ${explanation}`];
  if (closest.length > 0) parts.push(`${CLOSEST}:`);
  return [...parts, ...closest.map(formatCitation)];
}

/** @param {Answer} answer */
function formatAnswer(answer) {
  const facts = `${formatConfidence(answer)}, ${answer.support.text}`;
  const title = `**${escape(answer.text)}** (${facts})`;
  return [title, ...answer.citations.map(formatCitation)].join("\n\n");
}

/** @param {Citation} citation */
function formatCitation(citation) {
  const address = resolveEvidence(citation);
  const origin = escape(formatOrigin(citation)) + (address === null ? "" : ` <${address}>`);
  return `> ${escape(citation.context)}\n>\n> — ${origin}`;
}

/** @param {Citation} citation */
function formatOrigin({ title, source, published_at: published }) {
  const date = published === null ? null : formatDate(published);
  return [title, source, date].filter((part) => part !== null).join(", ");
}

/** @param {string} text */
function collapseSpaces(text) {
  return text.replace(/\s+/gu, " ").trim();
}

/**
 * Escape text in one line, so that no markup in the archive's words is markup in the document.
 * @param {string} text
 */
function escape(text) {
  return collapseSpaces(text).replace(/[\\`*_[\]<>#|~!&]/gu, "\\$&");
}

/**
 * Let the browser save a text as a file.
 * @param {string} name
 * @param {string} text
 */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/markdown;charset=utf-8" }));
  const link = createElement("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), DOWNLOAD_MS);
}
