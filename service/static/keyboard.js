// @ts-check
// Single-key shortcuts for frequent actions; they can be switched off (WCAG 2.1.4).

import { findById } from "./dom.js";

const STORAGE_KEY = "citewire.keys";
const help = findById("help", HTMLDialogElement);
const allowed = findById("keys-allowed", HTMLInputElement);

/**
 * Call `actions[key]` when a key is pressed while nothing is being typed.
 * @param {Record<string, () => void>} actions
 */
export function watchKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || !allowed.checked) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isSheetOpen()) return;
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}

/** Return whether a modal panel covers the page. */
export function isSheetOpen() {
  return document.querySelector("dialog.sheet[open]") !== null;
}

export function openHelp() {
  if (help.open) return;
  help.showModal();
  // Else the first control would have the focus, and screen readers would skip the text above it.
  findById("help-title", HTMLElement).focus();
}

try {
  allowed.checked = localStorage.getItem(STORAGE_KEY) !== "off";
} catch {
  // Storage is forbidden: shortcuts are on, as by default.
}

allowed.addEventListener("change", () => {
  try {
    localStorage.setItem(STORAGE_KEY, allowed.checked ? "on" : "off");
  } catch {
    // Storage is forbidden: the choice lasts until the page is left.
  }
});
findById("help-open", HTMLElement).addEventListener("click", openHelp);
findById("help-close", HTMLElement).addEventListener("click", () => help.close());
