// The page's wiring: what is typed, clicked and pressed reaches the conversation.

import { ArticlePanel } from "./article.js";
import { Conversation } from "./conversation.js";
import { filters, openFilters } from "./filters.js";
import { isSheetOpen, onKeys, openHelp } from "./keyboard.js";
import { Memory } from "./memory.js";
import { conversationMarkdown, download } from "./quoting.js";
import { onSignOut, watchSession } from "./session.js";
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
const exporting = document.getElementById("export");

const usualHint = hint.textContent;
const panel = new ArticlePanel();
const memory = new Memory();
const conversation = new Conversation(memory, {
  tell: (text) => status.replaceChildren(text),
  changed: pageChanged,
  openArticle: (citation, opener, others) => panel.open(citation, opener, others),
});

function submit() {
  const question = field.value.trim();
  if (question === "" || conversation.isAsking) return;
  field.value = "";
  conversation.ask(question, filters());
  pageChanged();
}

function startAnew() {
  if (panel.isOpen) panel.close();
  conversation.clear();
  field.focus();
}

function exportConversation() {
  if (memory.exchanges.length === 0) return;
  const day = new Date().toISOString().slice(0, 10);
  download(`citewire-${day}.md`, conversationMarkdown(memory.exchanges));
  status.replaceChildren("The conversation was saved as Markdown.");
}

function pageChanged() {
  showWelcome(conversation.isEmpty);
  newConversation.hidden = conversation.isEmpty;
  exporting.hidden = memory.exchanges.length === 0;
  field.placeholder = conversation.isEmpty ? "Ask a question" : "Ask on, or something else";
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  send.setAttribute("aria-disabled", String(field.value.trim() === "" || conversation.isAsking));
  const left = field.maxLength - field.value.length;
  hint.textContent = left > COUNTDOWN_FROM ? usualHint : `${counted(left, "character")} left.`;
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

field.addEventListener("input", pageChanged);

field.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it (Safari says so only by code 229).
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  submit();
});

// Escape closes what is open; where nothing is, it leaves the field, so that single keys work.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || isSheetOpen()) return;
  if (panel.isOpen) panel.close();
  else if (document.activeElement === field) (lastTurn()?.querySelector(".question") ?? field).focus();
});

onStarter((starter) => {
  field.value = starter;
  pageChanged();
  field.focus();
});

newConversation.addEventListener("click", startAnew);
onSignOut(() => {
  conversation.clear();
  // Also what is shown, and what scripts still remember.
  location.reload();
});
exporting.addEventListener("click", exportConversation);

onKeys({
  "/": () => field.focus(),
  j: () => focusCitation(1),
  k: () => focusCitation(-1),
  n: () => panel.step(1),
  p: () => panel.step(-1),
  c: () => currentCitation()?.parentElement.querySelector("[data-action=copy]").click(),
  e: () => lastTurn()?.querySelector("[data-action=edit]")?.click(),
  t: toggleTrail,
  f: openFilters,
  x: exportConversation,
  "?": openHelp,
});

function lastTurn() {
  return log.lastElementChild;
}

function toggleTrail() {
  const trail = lastTurn()?.querySelector(".trail");
  if (!trail) return;
  trail.open = !trail.open;
  trail.querySelector("summary").focus();
}

function shownCitations() {
  return [...log.querySelectorAll("button.citation")].filter((citation) => citation.checkVisibility());
}

/** The citation that has the focus or is open beside, else the first of the last answer. */
function currentCitation() {
  const focused = document.activeElement.closest(".cited")?.querySelector("button.citation");
  return focused ?? log.querySelector(".citation[aria-current]") ?? lastTurn()?.querySelector("button.citation");
}

function focusCitation(by) {
  const shown = shownCitations();
  const here = document.activeElement.closest(".cited")?.querySelector("button.citation") ?? log.querySelector(".citation[aria-current]");
  const place = shown.indexOf(here);
  const next = place < 0 ? shown.indexOf(currentCitation()) : place + by;
  shown[next]?.focus();
}

conversation.restore();
pageChanged();
watchArchive();
watchSession(() => status.replaceChildren("You are signed in."));
lastTurn()?.scrollIntoView({ block: "start" });
field.focus({ preventScroll: true });
