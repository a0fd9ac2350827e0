// Marks in a text: any number of spans, which may overlap, in paragraphs.

import { utf16Index } from "./codepoints.js";
import { element, verbatim } from "./dom.js";

// Lines up to the next blank line.
const PARAGRAPH = /[^\n]+(?:\n[^\n]+)*/g;

/** Spans `{ start, end }` in the order of the text, each once. */
export function inOrder(spans) {
  const byPlace = new Map(spans.map((span) => [`${span.start}-${span.end}`, span]));
  return [...byPlace.values()].sort((one, other) => one.start - other.start || one.end - other.end);
}

/**
 * The text in paragraphs, each span `{ start, end, kind }` (code points) marked in each that it
 * touches; marks of `current` have the class "current".
 */
export function markedParagraphs(text, spans, current) {
  const ranges = spans.map((span) => ({ span, from: utf16Index(text, span.start), to: utf16Index(text, span.end) }));
  return [...text.matchAll(PARAGRAPH)].map(({ 0: paragraph, index }) => {
    const pieces = stretches(index, index + paragraph.length, ranges);
    return element("p", { dir: "auto" }, ...pieces.flatMap((piece) => pieceView(text, piece, current)));
  });
}

/** `[from, to)` cut wherever a range begins or ends, with the ranges that cover each piece. */
function stretches(from, to, ranges) {
  const touching = ranges.filter((range) => range.from < to && from < range.to);
  const bounds = touching.flatMap((range) => [range.from, range.to]).filter((bound) => from < bound && bound < to);
  const cuts = [...new Set([from, ...bounds, to])].sort((one, other) => one - other);
  return cuts.slice(1).map((end, position) => {
    const start = cuts[position];
    return { start, end, covering: touching.filter((range) => range.from <= start && end <= range.to) };
  });
}

function pieceView(text, { start, end, covering }, current) {
  const words = verbatim(text.slice(start, end));
  if (covering.length === 0) return element("span", { class: "isolate" }, ...words);
  const kinds = new Set(covering.map(({ span }) => span.kind));
  const isCurrent = covering.some(({ span }) => span === current);
  const strongest = kinds.has("quote") ? "quote" : "read";
  return element("mark", { class: isCurrent ? `${strongest} current` : strongest }, ...words);
}
