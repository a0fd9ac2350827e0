// @ts-check
// Marks in a text: any number of spans, which may overlap, over any number of paragraphs.

import { toUtf16Index } from "./codepoints.js";
import { createElement, renderVerbatim } from "./dom.js";

/** @import { Mark } from "./types.js" */

// Consecutive lines that are not blank.
const PARAGRAPH = /[^\n]+(?:\n[^\n]+)*/g;

/**
 * A mark and its UTF-16 range.
 * @typedef {{ mark: Mark, from: number, to: number }} Range
 */

/**
 * A piece of text in UTF-16 units, and the ranges that cover the whole of it.
 * @typedef {{ start: number, end: number, covering: Range[] }} Piece
 */

/**
 * Return the marks in the order of the text; the last of those with the same place is kept.
 * @param {Mark[]} marks
 */
export function sortMarks(marks) {
  const byPlace = new Map(marks.map((mark) => [`${mark.start}-${mark.end}`, mark]));
  return [...byPlace.values()].sort((one, other) => one.start - other.start || one.end - other.end);
}

/**
 * Return the text in paragraphs, each mark shown in every paragraph that it touches; the parts of
 * `current` have the class "current".
 * @param {string} text
 * @param {Mark[]} marks
 * @param {Mark | null} current
 */
export function renderParagraphs(text, marks, current) {
  const ranges = marks.map((mark) => ({
    mark,
    from: toUtf16Index(text, mark.start),
    to: toUtf16Index(text, mark.end),
  }));
  return [...text.matchAll(PARAGRAPH)].map(({ 0: paragraph, index }) => {
    const pieces = cutAtBounds(index, index + paragraph.length, ranges);
    const nodes = pieces.map((piece) => renderPiece(text, piece, current));
    return createElement("p", { dir: "auto" }, ...nodes);
  });
}

/**
 * Cut `[from, to)` wherever a range begins or ends.
 * @param {number} from
 * @param {number} to
 * @param {Range[]} ranges
 * @returns {Piece[]}
 */
function cutAtBounds(from, to, ranges) {
  const touching = ranges.filter((range) => range.from < to && from < range.to);
  const bounds = touching.flatMap((range) => [range.from, range.to]);
  const inside = bounds.filter((bound) => from < bound && bound < to);
  const starts = [...new Set([from, ...inside])].sort((one, other) => one - other);
  return starts.map((start, position) => {
    const end = starts[position + 1] ?? to;
    const covering = touching.filter((range) => range.from <= start && end <= range.to);
    return { start, end, covering };
  });
}

/**
 * @param {string} text
 * @param {Piece} piece
 * @param {Mark | null} current
 */
function renderPiece(text, { start, end, covering }, current) {
  const words = renderVerbatim(text.slice(start, end));
  if (covering.length === 0) return createElement("span", { class: "isolate" }, ...words);
  // A quote is more than the passage around it.
  const kind = covering.some(({ mark }) => mark.kind === "quote") ? "quote" : "read";
  const isCurrent = covering.some(({ mark }) => mark === current);
  return createElement("mark", { class: isCurrent ? `${kind} current` : kind }, ...words);
}
