// What stands in for content: waiting, and failing with a way on.

import { hasKey, keepKey } from "./api.js";
import { button, element } from "./dom.js";
import { counted } from "./words.js";

export function busyNotice(text) {
  const dots = element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  return element("p", { class: "busy" }, dots, text);
}

/** The problem in words, and what can be done: give a key, or try again. */
export function problemNotice(problem, retry) {
  if (problem.status === 401) return keyNotice(retry);
  const notice = element(
    "div",
    { class: "problem" },
    element("p", { class: "problem-title" }, problem.title),
    element("p", {}, problem.detail),
  );
  if (problem.retryAfterSeconds !== null) {
    notice.append(element("p", {}, `The service asks you to wait ${counted(problem.retryAfterSeconds, "second")}.`));
  }
  notice.append(button({ class: "button" }, retry, "Try again"));
  return notice;
}

let keyFields = 0;

function keyNotice(retry) {
  keyFields += 1;
  const id = `key-${keyFields}`;
  const field = element("input", { id, type: "password", autocomplete: "off", required: "", class: "field" });
  const form = element(
    "form",
    { class: "problem" },
    element("p", { class: "problem-title" }, hasKey() ? "This key was not accepted" : "A key is needed"),
    element("p", {}, "The key stays in this tab and is forgotten when the tab closes."),
    element("label", { for: id }, "API key"),
    element("div", { class: "field-row" }, field, element("button", { class: "button", type: "submit" }, "Use key")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(field.value.trim());
    retry();
  });
  return form;
}
