// @ts-check
// The browser's session, where the service asks for keys.

import { Problem, fetchSession, signOut } from "./api.js";
import { findById } from "./dom.js";
import { SIGNED_IN, createKeyForm } from "./key-form.js";

const welcomeKey = findById("welcome-key", HTMLElement);
const signedIn = findById("signed-in", HTMLElement);
const signedInAs = findById("signed-in-as", HTMLElement);

/**
 * Show a form for a key on the first screen where one is needed; `onSignIn` is called after it
 * was accepted, there or elsewhere.
 * @param {() => void} onSignIn
 */
export function watchSession(onSignIn) {
  refresh();
  document.addEventListener(SIGNED_IN, () => {
    refresh();
    onSignIn();
  });
}

/**
 * Call `onEnd` once the person has signed out.
 * @param {() => void} onEnd
 */
export function watchSignOut(onEnd) {
  findById("sign-out", HTMLElement).addEventListener("click", async () => {
    try {
      await signOut(new AbortController().signal);
      onEnd();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      signedInAs.textContent = `still, since this failed: ${problem.title}`;
    }
  });
}

async function refresh() {
  try {
    const { required, key } = await fetchSession(new AbortController().signal);
    signedIn.hidden = key === null;
    signedInAs.textContent = key ?? "";
    welcomeKey.hidden = !required || key !== null;
    welcomeKey.replaceChildren(...(welcomeKey.hidden ? [] : [createKeyForm(() => {})]));
  } catch (problem) {
    // A service that cannot be reached is reported with the archive's size.
    if (!(problem instanceof Problem)) throw problem;
  }
}
