// Which articles are searched: published between two days, from some of the sources.

import { fetchSources } from "./api.js";
import { element, verbatim } from "./dom.js";
import { counted, dateInWords } from "./words.js";

const dialog = document.getElementById("filters");
const opener = document.getElementById("filters-open");
const summary = document.getElementById("filters-summary");
const from = document.getElementById("published-from");
const to = document.getElementById("published-to");
const list = document.getElementById("sources");
const wrong = document.getElementById("filters-wrong");

// What one question may name.
const MOST_SOURCES = 50;

let chosen = { published_from: null, published_to: null, sources: [] };
let loaded = false;

/** The filters as the service takes them. */
export function filters() {
  return chosen;
}

export function openFilters() {
  if (dialog.open) return;
  from.value = chosen.published_from ?? "";
  to.value = chosen.published_to ?? "";
  wrong.hidden = true;
  for (const box of list.querySelectorAll("input")) box.checked = chosen.sources.includes(box.value);
  dialog.showModal();
  if (!loaded) load();
}

async function load() {
  list.replaceChildren(element("p", {}, "Reading the sources…"));
  try {
    const { sources, more } = await fetchSources(new AbortController().signal);
    loaded = true;
    list.replaceChildren(...sources.map(choice));
    if (sources.length === 0) list.replaceChildren(element("p", {}, "No article names a source."));
    if (more) list.append(element("p", {}, "There are more sources, of fewer articles."));
  } catch (problem) {
    list.replaceChildren(element("p", {}, `The sources cannot be read. ${problem.detail ?? ""}`));
  }
}

function choice({ name, articles }) {
  const box = element("input", { type: "checkbox", value: name, name: "source" });
  box.checked = chosen.sources.includes(name);
  const size = element("span", { class: "choice-size" }, counted(articles, "article"));
  return element("label", { class: "choice" }, box, element("bdi", {}, ...verbatim(name)), size);
}

function apply(event) {
  event.preventDefault();
  const boxes = [...list.querySelectorAll("input:checked")];
  const fault = faultOf(boxes.length);
  wrong.textContent = fault;
  wrong.hidden = fault === "";
  if (fault !== "") return;
  chosen = {
    published_from: from.value || null,
    published_to: to.value || null,
    sources: loaded ? boxes.map((box) => box.value) : chosen.sources,
  };
  tell();
  dialog.close();
}

function faultOf(sources) {
  if (from.value && to.value && from.value > to.value) return "The first day is later than the last.";
  if (sources > MOST_SOURCES) return `Choose at most ${counted(MOST_SOURCES, "source")}.`;
  return "";
}

function clear() {
  from.value = "";
  to.value = "";
  for (const box of list.querySelectorAll("input")) box.checked = false;
  wrong.hidden = true;
}

function tell() {
  const only = filtersInWords(chosen);
  summary.replaceChildren(...verbatim(only === "" ? "All articles" : only));
  opener.classList.toggle("active", only !== "");
}

/** "from 1 November 2023, Harbour Wire"; nothing where all articles are searched. */
export function filtersInWords({ published_from: first, published_to: last, sources }) {
  const parts = [];
  if (first !== null) parts.push(`from ${dateInWords(first)}`);
  if (last !== null) parts.push(`to ${dateInWords(last)}`);
  if (sources.length === 1) parts.push(sources[0]);
  if (sources.length > 1) parts.push(counted(sources.length, "source"));
  return parts.join(", ");
}

opener.addEventListener("click", openFilters);
document.getElementById("filters-form").addEventListener("submit", apply);
document.getElementById("filters-clear").addEventListener("click", clear);
document.getElementById("filters-close").addEventListener("click", () => dialog.close());
