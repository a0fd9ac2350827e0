// @ts-check
// The page's wiring: connects what is typed, clicked and pressed with the conversation.

import { ArticlePanel } from "./article.js";
import { Conversation } from "./conversation.js";
import { findById } from "./dom.js";
import { download, formatConversation } from "./export.js";
import { getFilters, openFilters } from "./filters.js";
import { ConversationHistory } from "./history.js";
import { isSheetOpen, openHelp, watchKeys } from "./keyboard.js";
import { watchSession, watchSignOut } from "./session.js";
import { showWelcome, watchArchive, watchStarters } from "./welcome.js";
import { formatCount } from "./words.js";

// Remaining characters of the longest question from which on they are shown.
const COUNTDOWN_FROM = 100;

const log = findById("log", HTMLElement);
const status = findById("status", HTMLElement);
const composer = findById("composer", HTMLFormElement);
const field = findById("question", HTMLTextAreaElement);
const send = findById("send", HTMLElement);
const hint = findById("composer-hint", HTMLElement);
const newConversation = findById("new-conversation", HTMLElement);
const exportButton = findById("export", HTMLElement);

const usualHint = hint.textContent;
const panel = new ArticlePanel();
const history = new ConversationHistory();
const conversation = new Conversation(history, {
  announce,
  onChange: refresh,
  openArticle: (place, opener, others) => panel.open(place, opener, others),
});

/**
 * Let assistive technology speak a text.
 * @param {string} text
 */
function announce(text) {
  status.replaceChildren(text);
}

function submit() {
  const question = field.value.trim();
  if (question === "" || conversation.isAsking) return;
  field.value = "";
  conversation.ask(question, getFilters());
  refresh();
}

function startNewConversation() {
  if (panel.isOpen) panel.close();
  conversation.clear();
  field.focus();
}

function exportConversation() {
  if (history.turns.length === 0) return;
  const day = new Date().toISOString().slice(0, 10);
  download(`citewire-${day}.md`, formatConversation(history.turns));
  announce("The conversation was saved as Markdown.");
}

/** Adapt the controls to the state of the conversation and of the field. */
function refresh() {
  showWelcome(conversation.isEmpty);
  newConversation.hidden = conversation.isEmpty;
  exportButton.hidden = history.turns.length === 0;
  field.placeholder = conversation.isEmpty ? "Ask a question" : "Ask on, or something else";
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  send.setAttribute("aria-disabled", String(field.value.trim() === "" || conversation.isAsking));
  const left = field.maxLength - field.value.length;
  hint.textContent = left > COUNTDOWN_FROM ? usualHint : `${formatCount(left, "character")} left.`;
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

field.addEventListener("input", refresh);

field.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it (Safari reports only code 229).
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  submit();
});

// Escape closes what is open; where nothing is, it leaves the field, so that single keys work.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || isSheetOpen()) return;
  if (panel.isOpen) panel.close();
  else if (document.activeElement === field) (findInLastTurn(".question") ?? field).focus();
});

watchStarters((starter) => {
  field.value = starter;
  refresh();
  field.focus();
});

newConversation.addEventListener("click", startNewConversation);
watchSignOut(() => {
  conversation.clear();
  // Loaded again, so that nothing is shown, and no module remembers anything.
  location.reload();
});
exportButton.addEventListener("click", exportConversation);

watchKeys({
  "/": () => field.focus(),
  j: () => focusCitation(1),
  k: () => focusCitation(-1),
  n: () => panel.step(1),
  p: () => panel.step(-1),
  c: copyCurrentQuote,
  e: () => findInLastTurn("[data-action=edit]")?.click(),
  t: toggleTrail,
  f: openFilters,
  x: exportConversation,
  "?": openHelp,
});

/**
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function findInLastTurn(selector) {
  return log.lastElementChild?.querySelector(selector) ?? null;
}

function toggleTrail() {
  const trail = findInLastTurn(".trail");
  if (!(trail instanceof HTMLDetailsElement)) return;
  trail.open = !trail.open;
  trail.querySelector("summary")?.focus();
}

/**
 * Return the citation that has the focus, or else that of the open article.
 * @returns {HTMLElement | null}
 */
function findUsedCitation() {
  const focused = document.activeElement?.closest(".cited")?.querySelector("button.citation");
  return focused instanceof HTMLElement ? focused : log.querySelector(".citation[aria-current]");
}

/** Return the citation in use, else the first of the last answer. */
function findCurrentCitation() {
  return findUsedCitation() ?? findInLastTurn("button.citation");
}

function copyCurrentQuote() {
  /** @type {HTMLElement | null | undefined} */
  const copier = findCurrentCitation()?.parentElement?.querySelector("[data-action=copy]");
  copier?.click();
}

/**
 * Move the focus to the next or the previous citation; to the current one where none is in use.
 * @param {1 | -1} by
 */
function focusCitation(by) {
  /** @type {NodeListOf<HTMLElement>} */
  const citations = log.querySelectorAll("button.citation");
  const visible = [...citations].filter((citation) => citation.checkVisibility());
  const used = findUsedCitation();
  const position = used === null ? -1 : visible.indexOf(used);
  if (position < 0) findCurrentCitation()?.focus();
  else visible[position + by]?.focus();
}

conversation.restore();
refresh();
watchArchive();
watchSession(() => announce("You are signed in."));
log.lastElementChild?.scrollIntoView({ block: "start" });
field.focus({ preventScroll: true });
