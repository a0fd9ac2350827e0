// Signing in: a key is exchanged for a session, and not kept.

import { Problem, signIn } from "./api.js";
import { element } from "./dom.js";

// What the document hears of wherever a key was given.
export const SIGNED_IN = "signed-in";

let forms = 0;

/** A form for a key; `signedIn()` is called once the service has accepted it. */
export function keyForm(signedIn) {
  forms += 1;
  const id = `key-${forms}`;
  const field = element("input", { id, type: "password", autocomplete: "current-password", required: "", class: "field", "aria-describedby": `${id}-about` });
  const send = element("button", { class: "button", type: "submit" }, "Sign in");
  const wrong = element("p", { class: "problem-title", role: "alert" });
  const form = element(
    "form",
    { class: "key-form" },
    wrong,
    element("label", { for: id }, "API key"),
    element("div", { class: "field-row" }, field, send),
    element("p", { id: `${id}-about`, class: "key-about" }, "This browser is then signed in for twelve hours. The key itself is not kept."),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    wrong.replaceChildren();
    try {
      await signIn(field.value.trim(), new AbortController().signal);
      field.value = "";
      document.dispatchEvent(new Event(SIGNED_IN));
      signedIn();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      wrong.replaceChildren(problem.status === 401 ? "This key was not accepted" : `${problem.title}. ${problem.detail}`);
      field.focus();
    } finally {
      send.disabled = false;
    }
  });
  return form;
}
