// What stands in for content: waiting, and failing with a way on.

import { button, element } from "./dom.js";
import { keyForm } from "./signing.js";
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

function keyNotice(retry) {
  return element("div", { class: "problem" }, element("p", { class: "problem-title" }, "A key is needed"), keyForm(retry));
}
