// Single keys for what is done often; they can be switched off (WCAG 2.1.4).

const NAME = "citewire.keys";
const help = document.getElementById("help");
const allowed = document.getElementById("keys-allowed");

/** Call `actions[key]` when a key is pressed and nothing is being typed. */
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select") !== null;
    if (typing || !allowed.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isSheetOpen()) return;
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

/** Say whether a panel lies over the page. */
export function isSheetOpen() {
  return document.querySelector("dialog.sheet[open]") !== null;
}

export function openHelp() {
  if (help.open) return;
  help.showModal();
  // Else the first control would have it, and the words above it would be passed over.
  document.getElementById("help-title").focus();
}

try {
  allowed.checked = localStorage.getItem(NAME) !== "off";
} catch {
  // Nothing is kept here: keys are on, as at first.
}

allowed.addEventListener("change", () => {
  try {
    localStorage.setItem(NAME, allowed.checked ? "on" : "off");
  } catch {
    // It holds until the page is left.
  }
});
document.getElementById("help-open").addEventListener("click", openHelp);
document.getElementById("help-close").addEventListener("click", () => help.close());
