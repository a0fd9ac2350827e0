// How a question was understood: shown, to be corrected by the person, or asked back.

import { button, element, verbatim } from "./dom.js";

/**
 * What was asked in the question's place, and other ways to read it; nothing where it was asked
 * as it was typed. `askAs(question)` is called with what the person makes of it.
 */
export function readingView({ question, askedAs, alternatives }, askAs) {
  if (askedAs === question && alternatives.length === 0) return [];
  const line = element("div", { class: "reading" });
  const edit = button(
    { class: "link", "data-action": "edit", "aria-label": "Edit how the question was understood" },
    () => editor.begin(),
    "Edit",
  );
  const shown = [
    element("span", { class: "reading-label" }, "Asked as "),
    element("bdi", { class: "asked-as" }, ...verbatim(askedAs)),
    " ",
    edit,
  ];
  const editor = readingEditor(line, askedAs, askAs, () => {
    line.replaceChildren(...shown);
    edit.focus();
  });
  line.append(...shown);
  return alternatives.length === 0 ? [line] : [line, otherReadings("Or was it", alternatives, askAs)];
}

/** What is asked back where a question cannot be understood. */
export function unclearView({ ask_back: askBack, candidates }, askAs) {
  const view = element("div", { class: "result unclear" }, element("p", { class: "ask-back" }, ...verbatim(askBack)));
  if (candidates.length > 0) view.append(otherReadings("Perhaps", candidates, askAs));
  return view;
}

function otherReadings(label, questions, askAs) {
  const choices = questions.map((question) =>
    element("li", {}, button({ class: "reading-choice", dir: "auto" }, () => askAs(question), ...verbatim(question))),
  );
  return element("div", { class: "readings" }, element("p", { class: "reading-label" }, label), element("ul", {}, ...choices));
}

let fields = 0;

function readingEditor(line, askedAs, askAs, cancel) {
  fields += 1;
  const id = `reading-${fields}`;
  const field = element("input", { id, type: "text", class: "field", maxlength: "1000", dir: "auto", autocomplete: "off" });
  const form = element(
    "form",
    { class: "reading-form" },
    element("label", { for: id }, "Ask instead"),
    element(
      "div",
      { class: "field-row" },
      field,
      element("button", { type: "submit", class: "button primary" }, "Ask"),
      button({ class: "button" }, cancel, "Cancel"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() !== "") askAs(field.value.trim());
  });
  return {
    begin() {
      field.value = askedAs;
      line.replaceChildren(form);
      field.focus();
    },
  };
}
