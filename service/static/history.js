// The conversation, kept in this browser until it is cleared.

const NAME = "citewire.conversation";

// More than anyone scrolls back to, and far from what a browser lets a page keep.
const KEPT = 50;

// What a follow-up leans on is seldom further back.
const TOLD = 8;

/**
 * Exchanges `{ id, question, askedAs, alternatives, filters, result, passages }` in the order in
 * which they were begun; one that fails is not among them.
 */
export class Memory {
  #exchanges = read();
  #lastId = Math.max(0, ...this.#exchanges.map(({ id }) => id));

  get exchanges() {
    return this.#exchanges;
  }

  nextId() {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Keep an exchange; one with the same `id` is replaced. */
  keep(exchange) {
    const others = this.#exchanges.filter(({ id }) => id !== exchange.id);
    // One that failed at first may be answered after those that were begun later.
    this.#exchanges = [...others, exchange].sort((one, other) => one.id - other.id).slice(-KEPT);
    write(this.#exchanges);
  }

  clear() {
    this.#exchanges = [];
    write([]);
  }

  /** The messages of a conversation that goes on with `question`, behind the exchanges before `id`. */
  messages(question, id) {
    const earlier = this.#exchanges.filter((exchange) => exchange.id < id);
    const told = earlier.slice(-TOLD).flatMap(({ askedAs, result }) => [
      { role: "user", content: askedAs },
      { role: "assistant", content: [...(result.answers[0]?.text ?? "")].slice(0, 500).join("") },
    ]);
    return [...told, { role: "user", content: question }];
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isExchange) : [];
  } catch {
    // Kept by something else, or not ours to read: the conversation begins anew.
    return [];
  }
}

// What an earlier version of the page kept may look otherwise.
function isExchange(kept) {
  const { id, question, askedAs, alternatives, filters, result, passages } = kept ?? {};
  return (
    Number.isInteger(id) &&
    [question, askedAs].every((text) => typeof text === "string") &&
    [alternatives, passages, filters?.sources, result?.answers].every(Array.isArray) &&
    hasTexts(result)
  );
}

// The texts for people that the service sends with its answers.
function hasTexts({ status, explanation, answers, closest }) {
  const texts = [
    ...answers.flatMap((answer) => [answer.likelihood, answer.percentage, answer.support?.text]),
    ...(closest ?? []).map(({ percentage }) => percentage),
    ...(status === "no_answer" ? [explanation] : []),
  ];
  return texts.every((text) => typeof text === "string");
}

function write(exchanges) {
  try {
    if (exchanges.length === 0) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, JSON.stringify(exchanges));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}
