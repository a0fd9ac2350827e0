// Whether this browser is signed in, where keys are needed at all.

import { Problem, fetchSession, signOut } from "./api.js";
import { SIGNED_IN, keyForm } from "./signing.js";

const welcomeKey = document.getElementById("welcome-key");
const signedIn = document.getElementById("signed-in");
const signedInAs = document.getElementById("signed-in-as");

/** Ask for a key on the first screen where one is needed; `changed()` is called after signing in. */
export function watchSession(changed) {
  refresh();
  document.addEventListener(SIGNED_IN, () => {
    refresh();
    changed();
  });
}

/** Call `left()` once the session has ended. */
export function onSignOut(left) {
  document.getElementById("sign-out").addEventListener("click", async () => {
    try {
      await signOut(new AbortController().signal);
      left();
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
    welcomeKey.replaceChildren(...(welcomeKey.hidden ? [] : [keyForm(() => {})]));
  } catch (problem) {
    // A service that cannot be reached says so elsewhere.
    if (!(problem instanceof Problem)) throw problem;
  }
}
