// The service's wire: three requests, one kind of failure.

const KEY_NAME = "citewire.key";

// Longer than any deadline of the service, so that its own explanation arrives first.
const PATIENCE_MS = 60_000;

/** What went wrong, in words for the person asking (RFC 9457 when the service sent it). */
export class Problem extends Error {
  constructor({ title, detail, status, retryAfterSeconds }) {
    super(title);
    Object.assign(this, { title, detail, status, retryAfterSeconds });
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY_NAME, key);
}

export function hasKey() {
  return sessionStorage.getItem(KEY_NAME) !== null;
}

export function ask(question, signal) {
  return request("v1/ask", signal, { method: "POST", body: JSON.stringify({ question }) });
}

export function fetchArticle(id, signal) {
  return request(`v1/articles/${encodeURIComponent(id)}`, signal);
}

export function fetchReadiness(signal) {
  return request("health/ready", signal);
}

/** The parsed body; throws Problem, or the abort itself when the caller's `signal` asked for it. */
async function request(path, signal, options = {}) {
  const headers = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (hasKey()) headers.Authorization = `Bearer ${sessionStorage.getItem(KEY_NAME)}`;
  try {
    const response = await fetch(path, {
      ...options,
      headers,
      cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (!response.ok) throw await problemOf(response);
    return await response.json();
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
    throw unreachable(error);
  }
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
