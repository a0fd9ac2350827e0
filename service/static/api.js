// The service's wire: its requests, one kind of failure.

import { readEvents } from "./events.js";

// Where the service is, seen from here: pages lie at several depths, perhaps behind a prefix.
const SERVICE = new URL("../", import.meta.url);

// What a header can carry; no key has anything else.
const KEY = /^[!-~]+$/;

// Longer than any deadline of the service, so that its own explanation arrives first.
const PATIENCE_MS = 60_000;

// How far down the list of passages it is told how each was found.
const EXPLAINED = 12;

/** What went wrong, in words for the person asking (RFC 9457 when the service sent it). */
export class Problem extends Error {
  constructor({ title, detail, status, retryAfterSeconds }) {
    super(title);
    Object.assign(this, { title, detail, status, retryAfterSeconds });
  }
}

/** Whether keys are needed here, and whose session this browser has: `{ required, key, expires_at }`. */
export function fetchSession(signal) {
  return request("v1/session", signal);
}

/** Exchange a key for a session: a cookie that no script can read, and that goes along from then on. */
export async function signIn(key, signal) {
  if (!KEY.test(key)) throw new Problem({ title: "Unauthorized", detail: "This is no key.", status: 401, retryAfterSeconds: null });
  return request("v1/session", signal, { method: "POST", body: "{}", headers: { Authorization: `Bearer ${key}` } });
}

export function signOut(signal) {
  return request("v1/session", signal, { method: "DELETE" }, "application/json", () => null);
}

/** How the last of the messages is understood: `{status: "understood" | "unclear", …}`. */
export function understand(messages, signal) {
  return request("v1/understand", signal, { method: "POST", body: JSON.stringify({ messages }) });
}

/**
 * The result of a question. A service that streams tells of what it reads meanwhile: `hear(event,
 * data)` is called for each event. One that does not answers all at once, and nothing is heard.
 */
export async function ask(question, filters, hear, signal) {
  const body = JSON.stringify({ question, filters });
  const accept = "text/event-stream, application/json;q=0.5";
  return request("v1/ask", signal, { method: "POST", body }, accept, async (response) => {
    const type = response.headers.get("Content-Type") ?? "";
    return type.startsWith("text/event-stream") ? readResult(response.body, hear) : response.json();
  });
}

/** How passages are found for a question: `{ passages: [{ …, legs }], index_version }`. */
export function explain(question, filters, signal) {
  const body = JSON.stringify({ question, filters, limit: EXPLAINED, explain: true });
  return request("v1/search", signal, { method: "POST", body });
}

/** The archive's sources: `{ sources: [{ name, articles }], more }`. */
export function fetchSources(signal) {
  return request("v1/sources", signal);
}

export function fetchArticle(id, signal) {
  return request(`v1/articles/${encodeURIComponent(id)}`, signal);
}

export function fetchReadiness(signal) {
  return request("health/ready", signal);
}

/** The parsed body; throws Problem, or the abort itself when the caller's `signal` asked for it. */
async function request(path, signal, options = {}, accept = "application/json", read = (response) => response.json()) {
  const headers = { Accept: accept, ...options.headers };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(new URL(path, SERVICE), {
      ...options,
      headers,
      cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (!response.ok) throw await problemOf(response);
    return await read(response);
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw unreachable(error);
  }
}

/** The result that a stream of events carries; a stream that ends too early is a failure. */
async function readResult(body, hear) {
  let result = null;
  for await (const { event, data } of readEvents(body)) {
    if (event === "error") throw new Problem({ title: data.title, detail: data.detail, status: data.status, retryAfterSeconds: data.retry_after_s ?? null });
    if (event === "result") result = data;
    if (event === "done" && result !== null) return result;
    hear(event, data);
  }
  throw new Problem({ title: "The answer was cut off", detail: "The connection ended before the answer was complete.", status: null, retryAfterSeconds: null });
}

async function problemOf(response) {
  const retryAfterSeconds = Number.parseInt(response.headers.get("Retry-After"), 10);
  const sent = await response.json().catch(() => ({}));
  return new Problem({
    title: sent.title ?? "The service failed",
    detail: sent.detail ?? `It answered with status ${response.status}.`,
    status: response.status,
    retryAfterSeconds: Number.isNaN(retryAfterSeconds) ? null : retryAfterSeconds,
  });
}

function unreachable(error) {
  if (error.name === "TimeoutError") {
    return new Problem({ title: "No reply", detail: "The service took too long.", status: null, retryAfterSeconds: null });
  }
  return new Problem({
    title: "The service cannot be reached",
    detail: "It may have stopped, or the connection was lost.",
    status: null,
    retryAfterSeconds: null,
  });
}
