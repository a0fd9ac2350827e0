// The first screen and the archive's size, both kept true to what the service reports.

import { fetchReadiness } from "./api.js";
import { counted } from "./words.js";

const WAIT_SECONDS = 3;

const welcome = document.getElementById("welcome");
const title = document.getElementById("welcome-title");
const text = document.getElementById("welcome-text");
const starters = document.getElementById("starters");
const hints = document.getElementById("hints");
const archiveSize = document.getElementById("archive-size");

/** Ask the service how large the archive is until it is ready, and again whenever the page comes back into view. */
export function watchArchive() {
  refresh();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh();
  });
}

export function showWelcome(visible) {
  welcome.hidden = !visible;
}

/** Call `begin(starter)` when one of the question's first words is chosen. */
export function onStarter(begin) {
  starters.addEventListener("click", ({ target }) => {
    if (target.dataset.starter !== undefined) begin(target.dataset.starter);
  });
}

let again = null;

async function refresh() {
  clearTimeout(again);
  try {
    const { articles } = await fetchReadiness(new AbortController().signal);
    if (articles === 0) describeEmpty();
    else describe(articles);
  } catch (problem) {
    archiveSize.textContent = problem.status === 503 ? "Getting ready…" : problem.title;
    again = setTimeout(refresh, (problem.retryAfterSeconds ?? WAIT_SECONDS) * 1000);
  }
}

function describe(articles) {
  archiveSize.textContent = counted(articles, "article");
  title.textContent = "Ask the archive";
  text.textContent = "Answers are exact words from the archive, each with its source.";
  starters.hidden = false;
  hints.hidden = false;
}

function describeEmpty() {
  archiveSize.textContent = "No articles yet";
  title.textContent = "The archive is still empty";
  text.textContent = "Once articles have been added, ask about them here. Answers will be their exact words, each with its source.";
  starters.hidden = true;
  hints.hidden = true;
}
