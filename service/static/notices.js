// @ts-check
// Notices in the place of content: that it is on its way, or that it failed and what can be done.

import { createButton, createElement } from "./dom.js";
import { createKeyForm } from "./key-form.js";
import { formatCount } from "./words.js";

/** @import { Problem } from "./api.js" */

/** @param {string} text */
export function renderBusy(text) {
  const [one, two, three] = [createElement("i"), createElement("i"), createElement("i")];
  const dots = createElement("span", { class: "dots", "aria-hidden": "true" }, one, two, three);
  return createElement("p", { class: "busy" }, dots, text);
}

/**
 * Render the problem in words, and its remedy: a form for a key, or a button to try again.
 * @param {Problem} problem
 * @param {() => void} retry
 */
export function renderProblem(problem, retry) {
  if (problem.status === 401) return renderKeyNeeded(retry);
  const notice = createElement(
    "div",
    { class: "problem" },
    createElement("p", { class: "problem-title" }, problem.title),
    createElement("p", {}, problem.detail),
  );
  if (problem.retryAfterSeconds !== null) {
    const delay = formatCount(problem.retryAfterSeconds, "second");
    notice.append(createElement("p", {}, `The service asks you to wait ${delay}.`));
  }
  notice.append(createButton({ class: "button" }, retry, "Try again"));
  return notice;
}

/** @param {() => void} retry */
function renderKeyNeeded(retry) {
  const title = createElement("p", { class: "problem-title" }, "A key is needed");
  return createElement("div", { class: "problem" }, title, createKeyForm(retry));
}
