// Elements from words. Nothing here parses markup: strings become text nodes.

/** An element with attributes and children; string children are shown as they are. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function button(attributes, onActivate, ...children) {
  const node = element("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", onActivate);
  return node;
}

// Embeddings, overrides and isolates can show words in an order in which they do not
// stand. The marks U+200E, U+200F and U+061C cannot, and ordinary Arabic and Hebrew
// need them, so they stay invisible.
const REORDERING_CONTROL = /([\u202A-\u202E\u2066-\u2069])/u;

/**
 * Nodes that show `text` word for word, reordering controls made visible and harmless.
 * The controls stay in the text content, so what is compared and copied is still exact.
 */
export function verbatim(text) {
  // A split by a capturing pattern alternates: text, control, text, control, …
  return text.split(REORDERING_CONTROL).map((piece, position) => {
    if (position % 2 === 0) return piece;
    const code = piece.codePointAt(0).toString(16).toUpperCase();
    return element("span", { class: "control", "data-code": `U+${code}` }, piece);
  });
}

/** `text` with the UTF-16 range `[start, end)` inside a <mark>, no side able to reorder another. */
export function marked(text, start, end) {
  return [
    element("span", { class: "isolate" }, ...verbatim(text.slice(0, start))),
    element("mark", {}, ...verbatim(text.slice(start, end))),
    element("span", { class: "isolate" }, ...verbatim(text.slice(end))),
  ];
}
