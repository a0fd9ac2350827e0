// The conversation: questions are understood, asked and kept; one at a time.

import { Problem, ask, explain, understand } from "./api.js";
import { element } from "./dom.js";
import { busyNotice, problemNotice } from "./notices.js";
import { unclearView } from "./reading.js";
import { answersView, createTurn, exchangeView, spokenResult } from "./view.js";
import { counted } from "./words.js";

const SEARCHING = "Searching the archive…";

export class Conversation {
  #log = document.getElementById("log");
  #memory;
  #tell;
  #changed;
  #openArticle;
  // The question under way, if any: one at a time, or answers would arrive out of order.
  #asking = null;

  /**
   * `tell(text)` speaks; `changed()` is called when a question begins or ends;
   * `openArticle(citation, button, others)` shows where words stand.
   */
  constructor(memory, { tell, changed, openArticle }) {
    this.#memory = memory;
    this.#tell = tell;
    this.#changed = changed;
    this.#openArticle = openArticle;
  }

  get isAsking() {
    return this.#asking !== null;
  }

  get isEmpty() {
    return this.#log.childElementCount === 0;
  }

  /** Show what was kept of an earlier visit. */
  restore() {
    for (const exchange of this.#memory.exchanges) {
      const turn = this.#begin(exchange.question);
      this.#show(turn, exchange);
    }
  }

  /** Ask a question as it was typed; `filters` say which articles are searched. */
  ask(question, filters) {
    const exchange = { id: this.#memory.nextId(), question, filters };
    const turn = this.#begin(question);
    this.#run(turn, () => this.#understandAndAsk(turn, exchange));
  }

  clear() {
    this.#asking?.abort();
    this.#asking = null;
    this.#memory.clear();
    this.#log.replaceChildren();
    this.#tell("");
    this.#changed();
  }

  #begin(question) {
    const turn = createTurn(question);
    this.#log.append(turn.element);
    return turn;
  }

  async #understandAndAsk(turn, exchange) {
    const { signal } = this.#asking;
    const reading = await understand(this.#memory.messages(exchange.question, exchange.id), signal);
    if (reading.status === "unclear") {
      turn.reply(unclearView(reading, (whole) => this.#askAs(turn, exchange, whole)));
      this.#tell(reading.ask_back);
      return;
    }
    await this.#answer(turn, { ...exchange, askedAs: reading.asked_as, alternatives: reading.alternatives });
  }

  /** Ask in the words that the person chose instead. */
  #askAs(turn, exchange, whole) {
    if (this.isAsking) return;
    // The control just used is about to go; the focus stays in its turn.
    turn.heading.focus();
    this.#run(turn, () => this.#answer(turn, { ...exchange, askedAs: whole, alternatives: [] }));
  }

  async #answer(turn, exchange) {
    const passages = [];
    const answers = [];
    const hear = (event, data) => {
      if (event === "status" && data.stage === "waiting") turn.reply(busyNotice("Waiting for other questions…"));
      if (event === "passages") {
        passages.push(...data.passages);
        turn.reply(busyNotice(`Reading ${counted(passages.length, "passage")}…`));
      }
      if (event === "answer") {
        answers.push(data);
        turn.element.classList.add("arriving");
        turn.reply(element("div", { class: "arrived" }, ...answersView(answers, this.#actions(turn, exchange))));
      }
    };
    const result = await ask(exchange.askedAs, exchange.filters, hear, this.#asking.signal);
    const whole = { ...exchange, result, passages };
    this.#memory.keep(whole);
    this.#show(turn, whole);
    this.#tell(spokenResult(whole));
  }

  #show(turn, exchange) {
    turn.reply(...exchangeView(exchange, this.#actions(turn, exchange)));
  }

  /** Do the work of a turn, and say under its question how it goes. */
  async #run(turn, work) {
    const current = new AbortController();
    this.#asking = current;
    this.#changed();
    this.#tell(SEARCHING);
    turn.reply(busyNotice(SEARCHING));
    bringIntoView(turn);
    try {
      await work();
    } catch (problem) {
      if (current.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      turn.reply(problemNotice(problem, () => this.#retry(turn, work)));
      this.#tell(`${problem.title}. ${problem.detail}`);
    } finally {
      if (this.#asking === current) this.#asking = null;
      this.#changed();
    }
    bringIntoView(turn);
  }

  #retry(turn, work) {
    if (this.isAsking) return;
    turn.heading.focus();
    this.#run(turn, work);
  }

  #actions(turn, exchange) {
    return {
      tell: this.#tell,
      askAs: (question) => this.#askAs(turn, exchange, question),
      open: (citation, opener) => this.#openArticle(citation, opener, this.#citationsOf(citation.article_id)),
      explain: explained,
    };
  }

  /** Everything that the conversation cites of an article. */
  #citationsOf(articleId) {
    const results = this.#memory.exchanges.map(({ result }) => result);
    const cited = results.flatMap(({ answers, closest }) => [...answers.flatMap(({ citations }) => citations), ...(closest ?? [])]);
    return cited.filter(({ article_id: id }) => id === articleId);
  }
}

/** How the passages of an exchange were found, null where that cannot be told any more. */
async function explained({ askedAs, filters, result }) {
  try {
    const found = await explain(askedAs, filters, new AbortController().signal);
    return found.index_version === result.index_version ? found.passages : null;
  } catch (problem) {
    if (problem instanceof Problem) return null;
    throw problem;
  }
}

// The question goes to the top when its answer is long; a short answer just ends the page.
function bringIntoView(turn) {
  turn.element.scrollIntoView({ block: "start" });
}
