// @ts-check
// The filters of a search: published between two days, from some of the sources.

import { Problem, fetchSources } from "./api.js";
import { createElement, findById, renderVerbatim } from "./dom.js";
import { formatCount, formatDate } from "./words.js";

/** @import { Filters, Source } from "./types.js" */

const dialog = findById("filters", HTMLDialogElement);
const opener = findById("filters-open", HTMLElement);
const summary = findById("filters-summary", HTMLElement);
const from = findById("published-from", HTMLInputElement);
const to = findById("published-to", HTMLInputElement);
const list = findById("sources", HTMLElement);
const warning = findById("filters-wrong", HTMLElement);

// Sources that one question may name; the service refuses more.
const MAX_SOURCES = 50;

/** @type {Filters} */
let chosen = { published_from: null, published_to: null, sources: [] };
let sourcesLoaded = false;

/** Return the chosen filters as the service takes them. */
export function getFilters() {
  return chosen;
}

export function openFilters() {
  if (dialog.open) return;
  from.value = chosen.published_from ?? "";
  to.value = chosen.published_to ?? "";
  warning.hidden = true;
  for (const box of boxes()) box.checked = chosen.sources.includes(box.value);
  dialog.showModal();
  if (!sourcesLoaded) loadSources();
}

/** Return the boxes of all sources. */
function boxes() {
  return [...list.querySelectorAll("input")];
}

async function loadSources() {
  list.replaceChildren(createElement("p", {}, "Reading the sources…"));
  try {
    const { sources, more } = await fetchSources(new AbortController().signal);
    sourcesLoaded = true;
    list.replaceChildren(...sources.map(renderChoice));
    if (sources.length === 0) {
      list.replaceChildren(createElement("p", {}, "No article names a source."));
    }
    if (more) list.append(createElement("p", {}, "There are more sources, of fewer articles."));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const text = `The sources cannot be read. ${problem.detail}`;
    list.replaceChildren(createElement("p", {}, text));
  }
}

/** @param {Source} source */
function renderChoice({ name, articles }) {
  const box = createElement("input", { type: "checkbox", value: name, name: "source" });
  box.checked = chosen.sources.includes(name);
  const label = createElement("bdi", {}, ...renderVerbatim(name));
  const size = createElement("span", { class: "choice-size" }, formatCount(articles, "article"));
  return createElement("label", { class: "choice" }, box, label, size);
}

/** @param {SubmitEvent} event */
function apply(event) {
  event.preventDefault();
  const sources = boxes().filter((box) => box.checked);
  warning.textContent = checkChoice(sources.length);
  warning.hidden = warning.textContent === "";
  if (!warning.hidden) return;
  chosen = {
    published_from: from.value || null,
    published_to: to.value || null,
    sources: sourcesLoaded ? sources.map((box) => box.value) : chosen.sources,
  };
  showSummary();
  dialog.close();
}

/**
 * Return why the choice cannot be used; "" where it can.
 * @param {number} sources
 */
function checkChoice(sources) {
  if (from.value && to.value && from.value > to.value) {
    return "The first day is later than the last.";
  }
  if (sources > MAX_SOURCES) return `Choose at most ${formatCount(MAX_SOURCES, "source")}.`;
  return "";
}

function clear() {
  from.value = "";
  to.value = "";
  for (const box of boxes()) box.checked = false;
  warning.hidden = true;
}

function showSummary() {
  const only = describeFilters(chosen);
  summary.replaceChildren(...renderVerbatim(only === "" ? "All articles" : only));
  opener.classList.toggle("active", only !== "");
}

/**
 * Return the filters in words: "from 1 November 2023, Harbour Wire"; "" for all articles.
 * @param {Filters} filters
 */
export function describeFilters({ published_from: first, published_to: last, sources }) {
  const parts = [];
  if (first !== null) parts.push(`from ${formatDate(first)}`);
  if (last !== null) parts.push(`to ${formatDate(last)}`);
  if (sources.length === 1) parts.push(...sources);
  if (sources.length > 1) parts.push(formatCount(sources.length, "source"));
  return parts.join(", ");
}

opener.addEventListener("click", openFilters);
findById("filters-form", HTMLFormElement).addEventListener("submit", apply);
findById("filters-clear", HTMLElement).addEventListener("click", clear);
findById("filters-close", HTMLElement).addEventListener("click", () => dialog.close());
