// @ts-check
// A form that signs in: a key is exchanged for a session, and not kept.

import { Problem, signIn } from "./api.js";
import { createElement } from "./dom.js";

// The event that the document receives once a key was accepted, by whichever form.
export const SIGNED_IN = "signed-in";

let formsCreated = 0;

/**
 * Create a form for a key; `onSignedIn` is called once the service has accepted it.
 * @param {() => void} onSignedIn
 */
export function createKeyForm(onSignedIn) {
  formsCreated += 1;
  const id = `key-${formsCreated}`;
  const field = createElement("input", {
    id,
    type: "password",
    autocomplete: "current-password",
    required: "",
    class: "field",
    "aria-describedby": `${id}-about`,
  });
  const send = createElement("button", { class: "button", type: "submit" }, "Sign in");
  const error = createElement("p", { class: "problem-title", role: "alert" });
  const about = "This browser is then signed in for twelve hours. The key itself is not kept.";
  const form = createElement(
    "form",
    { class: "key-form" },
    error,
    createElement("label", { for: id }, "API key"),
    createElement("div", { class: "field-row" }, field, send),
    createElement("p", { id: `${id}-about`, class: "key-about" }, about),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    error.replaceChildren();
    const refusal = await trySigningIn(field.value.trim());
    send.disabled = false;
    if (refusal === null) {
      field.value = "";
      document.dispatchEvent(new Event(SIGNED_IN));
      onSignedIn();
    } else {
      error.replaceChildren(refusal);
      field.focus();
    }
  });
  return form;
}

/**
 * Sign in with a key; return null, or why that failed.
 * @param {string} key
 */
async function trySigningIn(key) {
  try {
    await signIn(key, new AbortController().signal);
    return null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return describeRefusal(problem);
  }
}

/** @param {Problem} problem */
function describeRefusal(problem) {
  if (problem.status === 401) return "This key was not accepted";
  return `${problem.title}. ${problem.detail}`;
}
