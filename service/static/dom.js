// @ts-check
// DOM nodes from strings. Nothing here parses markup: strings become text nodes.

/** @import { Attributes, Children } from "./types.js" */

/**
 * Return the page's element with this id; throw when there is none of this type.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function findById(id, type) {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return node;
}

/**
 * Create an element with attributes and children; string children become text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function createElement(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * Create a button that calls `onClick`.
 * @param {Attributes} attributes
 * @param {() => void} onClick
 * @param {Children} children
 */
export function createButton(attributes, onClick, ...children) {
  const node = createElement("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", onClick);
  return node;
}

// Bidirectional embeddings, overrides and isolates can show words in another order than that of
// the text. The marks U+200E, U+200F and U+061C cannot, and ordinary Arabic and Hebrew need them,
// so they stay invisible.
const REORDERING_CONTROL = /([\u202A-\u202E\u2066-\u2069])/u;

/**
 * Return nodes that show `text` word for word, reordering controls made visible and harmless.
 * The controls stay in the text content, so that comparing and copying remain exact.
 * @param {string} text
 * @returns {Children}
 */
export function renderVerbatim(text) {
  // A split by a capturing pattern alternates: text, control, text, control, …
  return text.split(REORDERING_CONTROL).map((piece, position) => {
    if (position % 2 === 0) return piece;
    const code = piece.charCodeAt(0).toString(16).toUpperCase();
    return createElement("span", { class: "control", "data-code": `U+${code}` }, piece);
  });
}

/**
 * Return nodes that show `text` with the UTF-16 range `[start, end)` inside a <mark>; none of the
 * three parts can reorder another.
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @returns {Children}
 */
export function renderMarked(text, start, end) {
  return [
    createElement("span", { class: "isolate" }, ...renderVerbatim(text.slice(0, start))),
    createElement("mark", {}, ...renderVerbatim(text.slice(start, end))),
    createElement("span", { class: "isolate" }, ...renderVerbatim(text.slice(end))),
  ];
}
