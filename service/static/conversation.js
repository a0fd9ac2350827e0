// @ts-check
// The conversation: questions are understood, asked and kept; one at a time.

import { Problem, ask, explain, understand } from "./api.js";
import { createElement, findById } from "./dom.js";
import { renderBusy, renderProblem } from "./notices.js";
import { renderClarification } from "./rewriting.js";
import { createTurnView, describeResult, renderAnswers, renderTurn } from "./turn.js";
import { formatCount } from "./words.js";

/** @import { ConversationHistory } from "./history.js" */
/** @import { TurnView } from "./turn.js" */
/** @import { Actions, Answer, Citation, Filters, Passage } from "./types.js" */
/** @import { Place, Question, Rewrite, Turn } from "./types.js" */

/**
 * The page around the conversation.
 * @typedef {object} Surroundings
 * @property {(text: string) => void} announce let assistive technology speak a text
 * @property {() => void} onChange called when a question begins or ends
 * @property {(place: Place, opener: HTMLElement, others: Place[]) => void} openArticle
 */

/** @typedef {(signal: AbortSignal) => Promise<void>} Work */

const SEARCHING = "Searching the archive…";

export class Conversation {
  #log = findById("log", HTMLElement);
  #history;
  #surroundings;
  /**
   * Ends the question under way, if any: one at a time, or answers would arrive out of order.
   * @type {AbortController | null}
   */
  #running = null;

  /**
   * @param {ConversationHistory} history
   * @param {Surroundings} surroundings
   */
  constructor(history, surroundings) {
    this.#history = history;
    this.#surroundings = surroundings;
  }

  get isAsking() {
    return this.#running !== null;
  }

  get isEmpty() {
    return this.#log.childElementCount === 0;
  }

  /** Show the turns of an earlier visit. */
  restore() {
    for (const turn of this.#history.turns) this.#show(this.#begin(turn.question), turn);
  }

  /**
   * Ask a question as it was typed, of the articles that pass the filters.
   * @param {string} text
   * @param {Filters} filters
   */
  ask(text, filters) {
    const question = { id: this.#history.nextId(), question: text, filters };
    const view = this.#begin(text);
    this.#run(view, (signal) => this.#understandAndAsk(view, question, signal));
  }

  clear() {
    this.#running?.abort();
    this.#running = null;
    this.#history.clear();
    this.#log.replaceChildren();
    this.#surroundings.announce("");
    this.#surroundings.onChange();
  }

  /** @param {string} question */
  #begin(question) {
    const view = createTurnView(question);
    this.#log.append(view.element);
    return view;
  }

  /**
   * @param {TurnView} view
   * @param {Question} question
   * @param {AbortSignal} signal
   */
  async #understandAndAsk(view, question, signal) {
    const messages = this.#history.toMessages(question.question, question.id);
    const rewrite = await understand(messages, signal);
    if (rewrite.status === "unclear") {
      view.reply(renderClarification(rewrite, (words) => this.#askAs(view, question, words)));
      this.#surroundings.announce(rewrite.ask_back);
      return;
    }
    const { asked_as: askedAs, alternatives } = rewrite;
    await this.#answer(view, { ...question, askedAs, alternatives }, signal);
  }

  /**
   * Ask in the words that the person chose instead.
   * @param {TurnView} view
   * @param {Question} question
   * @param {string} askedAs
   */
  #askAs(view, question, askedAs) {
    if (this.isAsking) return;
    // The control that was used is about to be replaced; the focus stays in its turn.
    view.heading.focus();
    const rewrite = { ...question, askedAs, alternatives: [] };
    this.#run(view, (signal) => this.#answer(view, rewrite, signal));
  }

  /**
   * @param {TurnView} view
   * @param {Rewrite} rewrite
   * @param {AbortSignal} signal
   */
  async #answer(view, rewrite, signal) {
    /** @type {Passage[]} */
    const passages = [];
    /** @type {Answer[]} */
    const answers = [];
    const actions = this.#createActions(view, rewrite);
    /** @type {(event: string, data: any) => void} */
    const onEvent = (event, data) => {
      if (event === "status" && data.stage === "waiting") {
        view.reply(renderBusy("Waiting for other questions…"));
      }
      if (event === "passages") {
        passages.push(...data.passages);
        view.reply(renderBusy(`Reading ${formatCount(passages.length, "passage")}…`));
      }
      if (event === "answer") {
        answers.push(data);
        view.element.classList.add("arriving");
        view.reply(createElement("div", { class: "arrived" }, ...renderAnswers(answers, actions)));
      }
    };
    const result = await ask(rewrite.askedAs, rewrite.filters, onEvent, signal);
    const turn = { ...rewrite, result, passages };
    this.#history.keep(turn);
    this.#show(view, turn);
    this.#surroundings.announce(describeResult(turn));
  }

  /**
   * @param {TurnView} view
   * @param {Turn} turn
   */
  #show(view, turn) {
    view.reply(...renderTurn(turn, this.#createActions(view, turn)));
  }

  /**
   * Do the work of a turn, and show under its question how it goes.
   * @param {TurnView} view
   * @param {Work} work
   */
  async #run(view, work) {
    const current = new AbortController();
    this.#running = current;
    this.#surroundings.onChange();
    this.#surroundings.announce(SEARCHING);
    view.reply(renderBusy(SEARCHING));
    scrollTo(view);
    try {
      await work(current.signal);
    } catch (problem) {
      if (current.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      view.reply(renderProblem(problem, () => this.#retry(view, work)));
      this.#surroundings.announce(`${problem.title}. ${problem.detail}`);
    } finally {
      if (this.#running === current) this.#running = null;
      this.#surroundings.onChange();
    }
    scrollTo(view);
  }

  /**
   * @param {TurnView} view
   * @param {Work} work
   */
  #retry(view, work) {
    if (this.isAsking) return;
    view.heading.focus();
    this.#run(view, work);
  }

  /**
   * @param {TurnView} view
   * @param {Question} question
   * @returns {Actions}
   */
  #createActions(view, question) {
    const { announce, openArticle } = this.#surroundings;
    return {
      announce,
      askAs: (words) => this.#askAs(view, question, words),
      open: (place, opener) => openArticle(place, opener, this.#findCitations(place.article_id)),
      explain: explainTurn,
    };
  }

  /**
   * Return all that the conversation cites of an article.
   * @param {string} articleId
   */
  #findCitations(articleId) {
    /** @type {Citation[]} */
    const cited = this.#history.turns.flatMap(({ result: { answers, closest = [] } }) => [
      ...answers.flatMap(({ citations }) => citations),
      ...closest,
    ]);
    return cited.filter((citation) => citation.article_id === articleId);
  }
}

/**
 * Return how the passages of a turn were found; null where the archive has changed since, or
 * cannot be asked.
 * @param {Turn} turn
 */
async function explainTurn({ askedAs, filters, result }) {
  try {
    const found = await explain(askedAs, filters, new AbortController().signal);
    return found.index_version === result.index_version ? found.passages : null;
  } catch (problem) {
    if (problem instanceof Problem) return null;
    throw problem;
  }
}

/**
 * Scroll a question to the top, as far as its answer is long enough.
 * @param {TurnView} view
 */
function scrollTo(view) {
  view.element.scrollIntoView({ block: "start" });
}
