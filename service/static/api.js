// @ts-check
// The service's HTTP API: its requests, and one kind of failure.

import { readEvents } from "./events.js";

/** @import { Article, AskResponse, Clarification, Filters, Message } from "./types.js" */
/** @import { Ready, RewriteResponse, SearchResponse, Session, SourceList } from "./types.js" */

// Relative to this module: pages have addresses of several depths, perhaps behind a prefix.
const SERVICE = new URL("../", import.meta.url);

// The characters that a header can carry; no key has others.
const KEY = /^[!-~]+$/;

// Longer than any deadline of the service, so that its own explanation arrives first.
const TIMEOUT_MS = 60_000;

// Passages whose ranks are fetched to explain how they were found.
const EXPLAINED_PASSAGES = 12;

/**
 * Receives each event of an answer that is streamed.
 * @typedef {(event: string, data: any) => void} EventListener
 */

/** A failure, in words for the person asking (RFC 9457 when the service sent it). */
export class Problem extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {{ status?: number | null, retryAfterSeconds?: number | null }} [response]
   */
  constructor(title, detail, { status = null, retryAfterSeconds = null } = {}) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Return whether keys are needed here, and for which one this browser has a session.
 * @param {AbortSignal} signal
 * @returns {Promise<Session>}
 */
export function fetchSession(signal) {
  return request("v1/session", signal);
}

/**
 * Exchange a key for a session: a cookie that no script can read and that further requests carry.
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Promise<Session>}
 */
export async function signIn(key, signal) {
  if (!KEY.test(key)) throw new Problem("Unauthorized", "This is no key.", { status: 401 });
  const headers = { Authorization: `Bearer ${key}` };
  return request("v1/session", signal, { method: "POST", body: "{}", headers });
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function signOut(signal) {
  return request("v1/session", signal, { method: "DELETE" }, () => undefined);
}

/**
 * Return how the last of the messages is understood.
 * @param {Message[]} messages
 * @param {AbortSignal} signal
 * @returns {Promise<RewriteResponse | Clarification>}
 */
export function understand(messages, signal) {
  return request("v1/understand", signal, { method: "POST", body: JSON.stringify({ messages }) });
}

/**
 * Return the result of a question. A service that streams reports its progress meanwhile, by calls
 * of `onEvent`; one that does not stream answers all at once, without such calls.
 * @param {string} question
 * @param {Filters} filters
 * @param {EventListener} onEvent
 * @param {AbortSignal} signal
 * @returns {Promise<AskResponse>}
 */
export async function ask(question, filters, onEvent, signal) {
  const body = JSON.stringify({ question, filters });
  const headers = { Accept: "text/event-stream, application/json;q=0.5" };
  return request("v1/ask", signal, { method: "POST", body, headers }, async (response) => {
    const type = response.headers.get("Content-Type") ?? "";
    const isStream = type.startsWith("text/event-stream") && response.body !== null;
    return isStream ? readResult(response.body, onEvent) : response.json();
  });
}

/**
 * Return the best passages for a question, each with its ranks in dense and lexical search.
 * @param {string} question
 * @param {Filters} filters
 * @param {AbortSignal} signal
 * @returns {Promise<SearchResponse>}
 */
export function explain(question, filters, signal) {
  const body = JSON.stringify({ question, filters, limit: EXPLAINED_PASSAGES, explain: true });
  return request("v1/search", signal, { method: "POST", body });
}

/**
 * Return the archive's sources.
 * @param {AbortSignal} signal
 * @returns {Promise<SourceList>}
 */
export function fetchSources(signal) {
  return request("v1/sources", signal);
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Article>}
 */
export function fetchArticle(id, signal) {
  return request(`v1/articles/${encodeURIComponent(id)}`, signal);
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Ready>}
 */
export function fetchReadiness(signal) {
  return request("health/ready", signal);
}

/**
 * Return the parsed body; throw a Problem, or the abort itself when the caller's `signal` asked
 * for it.
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {{ method?: string, body?: string, headers?: Record<string, string> }} [options]
 * @param {(response: Response) => any} [read]
 */
async function request(path, signal, options = {}, read = (response) => response.json()) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", ...options.headers };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(new URL(path, SERVICE), {
      ...options,
      headers,
      cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (!response.ok) throw await readProblem(response);
    return await read(response);
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw explainFailure(error);
  }
}

/**
 * Return the result that a stream of events carries; throw a Problem where it ends too early.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {EventListener} onEvent
 * @returns {Promise<AskResponse>}
 */
async function readResult(body, onEvent) {
  /** @type {AskResponse | null} */
  let result = null;
  for await (const { event, data } of readEvents(body)) {
    if (event === "error") {
      const { title, detail, status, retry_after_s: retryAfterSeconds } = data;
      throw new Problem(title, detail, { status, retryAfterSeconds });
    }
    if (event === "result") result = data;
    if (event === "done" && result !== null) return result;
    onEvent(event, data);
  }
  throw new Problem(
    "The answer was cut off",
    "The connection ended before the answer was complete.",
  );
}

/** @param {Response} response */
async function readProblem(response) {
  const retryAfterSeconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const sent = await response.json().catch(() => ({}));
  const detail = sent.detail ?? `It answered with status ${response.status}.`;
  return new Problem(sent.title ?? "The service failed", detail, {
    status: response.status,
    retryAfterSeconds: Number.isNaN(retryAfterSeconds) ? null : retryAfterSeconds,
  });
}

/** @param {unknown} error */
function explainFailure(error) {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new Problem("No reply", "The service took too long.");
  }
  return new Problem(
    "The service cannot be reached",
    "It may have stopped, or the connection was lost.",
  );
}
