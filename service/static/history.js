// @ts-check
// The conversation's turns, kept in this browser until they are cleared.

/** @import { AskResponse, Message, Turn } from "./types.js" */

const STORAGE_KEY = "citewire.conversation";

// Turns; more than people scroll back to, and far from what a browser lets a page store.
const MAX_TURNS = 50;

// Earlier turns that are sent with a question; follow-ups seldom refer further back.
const MAX_EARLIER_TURNS = 8;

// Code points of an answer that is sent with a question.
const MAX_ANSWER_CHARACTERS = 500;

/** Turns in the order in which they were begun; one that failed is not among them. */
export class ConversationHistory {
  #turns = load();
  #lastId = Math.max(0, ...this.#turns.map(({ id }) => id));

  get turns() {
    return this.#turns;
  }

  nextId() {
    this.#lastId += 1;
    return this.#lastId;
  }

  /**
   * Keep a turn; one with the same `id` is replaced.
   * @param {Turn} turn
   */
  keep(turn) {
    const others = this.#turns.filter(({ id }) => id !== turn.id);
    // A turn that failed at first may be answered after those that were begun later.
    this.#turns = [...others, turn].sort((one, other) => one.id - other.id).slice(-MAX_TURNS);
    store(this.#turns);
  }

  clear() {
    this.#turns = [];
    store([]);
  }

  /**
   * Return the messages of a conversation that ends with `question`, after the turns before `id`.
   * @param {string} question
   * @param {number} id
   * @returns {Message[]}
   */
  toMessages(question, id) {
    const earlier = this.#turns.filter((turn) => turn.id < id).slice(-MAX_EARLIER_TURNS);
    return [...earlier.flatMap(turnMessages), { role: "user", content: question }];
  }
}

/**
 * @param {Turn} turn
 * @returns {Message[]}
 */
function turnMessages({ askedAs, result }) {
  const answer = [...(result.answers[0]?.text ?? "")].slice(0, MAX_ANSWER_CHARACTERS).join("");
  return [
    { role: "user", content: askedAs },
    { role: "assistant", content: answer },
  ];
}

/** @returns {Turn[]} */
function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isTurn) : [];
  } catch {
    // Not JSON, or storage is forbidden: the conversation begins anew.
    return [];
  }
}

/**
 * Check an entry that may have been stored by an earlier version of the page.
 * @param {any} kept
 * @returns {kept is Turn}
 */
function isTurn(kept) {
  const { id, question, askedAs, alternatives, filters, result, passages } = kept ?? {};
  return (
    Number.isInteger(id) &&
    [question, askedAs].every((text) => typeof text === "string") &&
    [alternatives, passages, filters?.sources, result?.answers].every(Array.isArray) &&
    hasTexts(result)
  );
}

/**
 * Check that a result carries the texts for people; earlier services sent none.
 * @param {AskResponse} result
 */
function hasTexts({ status, explanation, answers, closest }) {
  const texts = [
    ...answers.flatMap((answer) => [answer.likelihood, answer.percentage, answer.support?.text]),
    ...(closest ?? []).map(({ percentage }) => percentage),
    ...(status === "no_answer" ? [explanation] : []),
  ];
  return texts.every((text) => typeof text === "string");
}

/** @param {Turn[]} turns */
function store(turns) {
  try {
    if (turns.length === 0) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, JSON.stringify(turns));
  } catch {
    // Storage is full or forbidden: the conversation lasts until the page is left.
  }
}
