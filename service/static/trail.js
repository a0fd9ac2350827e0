// The passages that were read for an answer, and what came of each: why this, why not that.

import { sourceFacts } from "./citations.js";
import { button, element, verbatim } from "./dom.js";
import { counted, ordinal, sharePercent } from "./words.js";

/** The trail, folded; how its passages were found is asked for when it is opened. */
export function trailView(passages, exchange, act) {
  if (passages.length === 0) return [];
  const views = passages.map((passage) => passageView(passage, outcome(passage, exchange.result), act));
  const unread = element("div", {});
  const trail = element(
    "details",
    { class: "trail" },
    element("summary", {}, `Why this? ${counted(passages.length, "passage")} read`),
    element("p", { class: "aside-text" }, "These came up for the question, the most promising first; the figure compares each with the first. What was read and not quoted gave no answer that was sure enough."),
    element("ol", { class: "passages" }, ...views.map(({ node }) => element("li", {}, node))),
    unread,
  );
  trail.addEventListener("toggle", async () => {
    const found = await act.explain(exchange);
    if (found === null) return;
    views.forEach(({ found: place }, position) => place.replaceChildren(...legsView(found.find((hit) => isSame(hit, passages[position])))));
    unread.replaceChildren(...unreadView(found.filter((hit) => !passages.some((passage) => isSame(hit, passage))), passages.length + 1, act));
  }, { once: true });
  return [trail];
}

function passageView(passage, { quoted, text }, act) {
  const title = button(
    { class: "link passage-title", "aria-haspopup": "dialog" },
    () => act.open(passage, title),
    element("bdi", {}, ...verbatim(passage.title)),
  );
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(passage.score));
  const found = element("p", { class: "passage-found" });
  const node = element(
    "div",
    { class: quoted ? "passage quoted" : "passage" },
    title,
    element("p", { class: "citation-facts" }, ...sourceFacts(passage)),
    element("p", { class: "passage-outcome" }, bar, element("span", { class: "figure" }, sharePercent(passage.score)), element("span", {}, ...verbatim(text))),
    found,
  );
  return { node, found };
}

function unreadView(hits, first, act) {
  if (hits.length === 0) return [];
  const views = hits.map((hit) => {
    const { node, found } = passageView({ ...hit, quote: undefined }, { quoted: false, text: "found, not read" }, act);
    found.append(...legsView(hit));
    return element("li", {}, node);
  });
  const next = { class: "passages", start: String(first) };
  return [
    element("h4", { class: "aside-title" }, "Next in line"),
    element("p", { class: "aside-text" }, "Found as well, but less promising than those that were read."),
    element("ol", next, ...views),
  ];
}

function legsView(hit) {
  if (hit === undefined || hit.legs === null) return [];
  const ways = [];
  if (hit.legs.dense_rank !== null) ways.push(`${ordinal(hit.legs.dense_rank)} by meaning`);
  if (hit.legs.lexical_rank !== null) ways.push(`${ordinal(hit.legs.lexical_rank)} by words`);
  return ways.length === 0 ? [] : [`Found ${ways.join(" and ")}.`];
}

function isSame(one, other) {
  return one.article_id === other.article_id && one.start === other.start && one.end === other.end;
}

function outcome(passage, result) {
  const inside = ({ article_id: id, start, end }) => id === passage.article_id && passage.start <= start && end <= passage.end;
  const answer = result.answers.find(({ citations }) => citations.some(inside));
  if (answer !== undefined) return { quoted: true, text: `quoted for “${answer.text}”` };
  const close = (result.closest ?? []).find(inside);
  if (close !== undefined) return { quoted: false, text: `closest words: “${close.quote}”` };
  return { quoted: false, text: "read, not quoted" };
}
