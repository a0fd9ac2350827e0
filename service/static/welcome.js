// @ts-check
// The first screen and the archive's size, as the service reports it.

import { Problem, fetchReadiness } from "./api.js";
import { findById } from "./dom.js";
import { formatCount } from "./words.js";

// Seconds until the service is asked again, where it names no time itself.
const RETRY_SECONDS = 3;

const welcome = findById("welcome", HTMLElement);
const title = findById("welcome-title", HTMLElement);
const text = findById("welcome-text", HTMLElement);
const starters = findById("starters", HTMLElement);
const hints = findById("hints", HTMLElement);
const archiveSize = findById("archive-size", HTMLElement);

/** Ask for the archive's size until the service is ready, and whenever the page is shown again. */
export function watchArchive() {
  refresh();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh();
  });
}

/** @param {boolean} visible */
export function showWelcome(visible) {
  welcome.hidden = !visible;
}

/**
 * Call `onChoice` with the words of a starter, such as "Who ", when it is chosen.
 * @param {(starter: string) => void} onChoice
 */
export function watchStarters(onChoice) {
  starters.addEventListener("click", ({ target }) => {
    const starter = target instanceof HTMLElement ? target.dataset.starter : undefined;
    if (starter !== undefined) onChoice(starter);
  });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;

async function refresh() {
  clearTimeout(retry);
  try {
    const { articles } = await fetchReadiness(new AbortController().signal);
    if (articles === 0) describeEmpty();
    else describe(articles);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    archiveSize.textContent = problem.status === 503 ? "Getting ready…" : problem.title;
    retry = setTimeout(refresh, (problem.retryAfterSeconds ?? RETRY_SECONDS) * 1000);
  }
}

/** @param {number} articles */
function describe(articles) {
  archiveSize.textContent = formatCount(articles, "article");
  title.textContent = "Ask the archive";
  text.textContent = "Answers are exact words from the archive, each with its source.";
  starters.hidden = false;
  hints.hidden = false;
}

function describeEmpty() {
  archiveSize.textContent = "No articles yet";
  title.textContent = "The archive is still empty";
  text.textContent =
    "Once articles have been added, ask about them here." +
    " Answers will be their exact words, each with its source.";
  starters.hidden = true;
  hints.hidden = true;
}
