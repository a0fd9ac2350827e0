// @ts-check
// How a question was understood: shown, to be corrected by the person, or asked back.

import { createButton, createElement, renderVerbatim } from "./dom.js";

/** @import { Clarification, Rewrite } from "./types.js" */

/** @typedef {(question: string) => void} AskAs */

/**
 * Render the question as it was asked, to be edited, and other ways to understand it; nothing
 * where it was asked as it was typed. `askAs` is called with the words that the person chooses.
 * @param {Rewrite} rewrite
 * @param {AskAs} askAs
 */
export function renderRewrite({ question, askedAs, alternatives }, askAs) {
  if (askedAs === question && alternatives.length === 0) return [];
  const line = renderAskedAs(askedAs, askAs);
  if (alternatives.length === 0) return [line];
  return [line, renderChoices("Or was it", alternatives, askAs)];
}

/**
 * @param {string} askedAs
 * @param {AskAs} askAs
 */
function renderAskedAs(askedAs, askAs) {
  const line = createElement("div", { class: "reading" });
  const label = "Edit how the question was understood";
  const edit = createButton(
    { class: "link", "data-action": "edit", "aria-label": label },
    () => {
      const { form, field } = createEditor(askedAs, askAs, show);
      line.replaceChildren(form);
      field.focus();
    },
    "Edit",
  );
  const shown = [
    createElement("span", { class: "reading-label" }, "Asked as "),
    createElement("bdi", { class: "asked-as" }, ...renderVerbatim(askedAs)),
    " ",
    edit,
  ];
  function show() {
    line.replaceChildren(...shown);
    edit.focus();
  }
  line.append(...shown);
  return line;
}

/**
 * Render the question back where a question cannot be understood.
 * @param {Clarification} clarification
 * @param {AskAs} askAs
 */
export function renderClarification({ ask_back: askBack, candidates }, askAs) {
  const text = createElement("p", { class: "ask-back" }, ...renderVerbatim(askBack));
  const view = createElement("div", { class: "result unclear" }, text);
  if (candidates.length > 0) view.append(renderChoices("Perhaps", candidates, askAs));
  return view;
}

/**
 * @param {string} label
 * @param {string[]} questions
 * @param {AskAs} askAs
 */
function renderChoices(label, questions, askAs) {
  const items = questions.map((question) => {
    const attributes = { class: "reading-choice", dir: "auto" };
    const choice = createButton(attributes, () => askAs(question), ...renderVerbatim(question));
    return createElement("li", {}, choice);
  });
  return createElement(
    "div",
    { class: "readings" },
    createElement("p", { class: "reading-label" }, label),
    createElement("ul", {}, ...items),
  );
}

let editorsCreated = 0;

/**
 * Create a form to ask in other words.
 * @param {string} askedAs
 * @param {AskAs} askAs
 * @param {() => void} cancel
 */
function createEditor(askedAs, askAs, cancel) {
  editorsCreated += 1;
  const id = `reading-${editorsCreated}`;
  const field = createElement("input", {
    id,
    type: "text",
    class: "field",
    maxlength: "1000",
    dir: "auto",
    autocomplete: "off",
  });
  field.value = askedAs;
  const form = createElement(
    "form",
    { class: "reading-form" },
    createElement("label", { for: id }, "Ask instead"),
    createElement(
      "div",
      { class: "field-row" },
      field,
      createElement("button", { type: "submit", class: "button primary" }, "Ask"),
      createButton({ class: "button" }, cancel, "Cancel"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() !== "") askAs(field.value.trim());
  });
  return { form, field };
}
