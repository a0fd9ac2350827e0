// The page's wiring: what is typed becomes a turn, and a turn gets its reply.

import { Problem, ask } from "./api.js";
import { ArticlePanel } from "./article.js";
import { busyNotice, problemNotice } from "./notices.js";
import { createTurn, resultView, spokenResult } from "./view.js";
import { onStarter, showWelcome, watchArchive } from "./welcome.js";
import { counted } from "./words.js";

// How close to the longest question the remaining characters are told.
const COUNTDOWN_FROM = 100;

const log = document.getElementById("log");
const status = document.getElementById("status");
const composer = document.getElementById("composer");
const field = document.getElementById("question");
const send = document.getElementById("send");
const hint = document.getElementById("composer-hint");
const newConversation = document.getElementById("new-conversation");

const usualHint = hint.textContent;
const panel = new ArticlePanel();

// The question under way, if any: one at a time, or answers would arrive out of order.
let asking = null;

function submit() {
  const question = field.value.trim();
  if (question === "" || asking !== null) return;
  const turn = createTurn(question);
  log.append(turn.element);
  showWelcome(false);
  newConversation.hidden = false;
  field.value = "";
  reply(turn, question);
}

async function reply(turn, question) {
  const current = new AbortController();
  asking = current;
  fieldChanged();
  tell("Searching the archive…");
  turn.reply(busyNotice("Searching the archive…"));
  bringIntoView(turn);
  try {
    const result = await ask(question, current.signal);
    turn.reply(resultView(result, (citation, opener) => panel.open(citation, opener)));
    tell(spokenResult(result));
  } catch (problem) {
    if (current.signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    turn.reply(problemNotice(problem, () => retry(turn, question)));
    tell(`${problem.title}. ${problem.detail}`);
  } finally {
    if (asking === current) asking = null;
    fieldChanged();
  }
  bringIntoView(turn);
}

function retry(turn, question) {
  if (asking !== null) return;
  // The control just used is about to go; the focus stays in its turn.
  turn.heading.focus();
  reply(turn, question);
}

function startAnew() {
  asking?.abort();
  asking = null;
  panel.close();
  log.replaceChildren();
  tell("");
  showWelcome(true);
  newConversation.hidden = true;
  fieldChanged();
  field.focus();
}

function tell(text) {
  status.textContent = text;
}

// The question goes to the top when its answer is long; a short answer just ends the page.
function bringIntoView(turn) {
  turn.element.scrollIntoView({ block: "start" });
}

function fieldChanged() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  send.setAttribute("aria-disabled", String(field.value.trim() === "" || asking !== null));
  const left = field.maxLength - field.value.length;
  hint.textContent = left > COUNTDOWN_FROM ? usualHint : `${counted(left, "character")} left.`;
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

field.addEventListener("input", fieldChanged);

field.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it (Safari says so only by code 229).
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  submit();
});

onStarter((starter) => {
  field.value = starter;
  fieldChanged();
  field.focus();
});

newConversation.addEventListener("click", startAnew);

watchArchive();
field.focus();
