// The passages that were read for an answer, and what came of each: why this, why not that.

import { sourceFacts } from "./citations.js";
import { button, element, verbatim } from "./dom.js";
import { counted, ordinal, sharePercent } from "./words.js";

/** The trail, folded; how its passages were found is asked for when it is opened. */
export function trailView(passages, exchange, act) {
  if (passages.length === 0) return [];
  const views = passages.map((passage) => passageView(passage, outcome(passage, exchange.result), act));
  const items = views.map(({ node }) => element("li", {}, node));
  const unread = element("div", {});
  const trail = element(
    "details",
    { class: "trail" },
    element("summary", {}, `Why this? ${counted(passages.length, "passage")} read`),
    element("p", { class: "aside-text" }, "These came up for the question, the most promising first; the figure compares each with the first. What was read and not quoted gave no answer that was sure enough."),
    element("ol", { class: "passages" }, ...items),
    unread,
  );
  trail.addEventListener("toggle", async () => {
    const found = await act.explain(exchange);
    if (found === null) return;
    passages.forEach((passage, position) => {
      const place = found.findIndex((hit) => isSame(hit, passage));
      if (place < 0) return;
      items[position].value = place + 1;
      views[position].found.replaceChildren(...legsView(found[place]));
    });
    unread.replaceChildren(...unreadView(found, passages, act));
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

/** What was found and not read, each with its place among all that was found. */
function unreadView(found, read, act) {
  const items = found.flatMap((hit, place) => {
    if (read.some((passage) => isSame(hit, passage))) return [];
    const { node, found: ways } = passageView({ ...hit, quote: undefined }, { quoted: false, text: "found, not read" }, act);
    ways.append(...legsView(hit));
    return [element("li", { value: String(place + 1) }, node)];
  });
  if (items.length === 0) return [];
  return [
    element("h4", { class: "aside-title" }, "Next in line"),
    element("p", { class: "aside-text" }, "Found as well, and not read: less promising, and not expected to change the answer."),
    element("ol", { class: "passages" }, ...items),
  ];
}

function legsView(hit) {
  if (hit.legs === null) return [];
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
