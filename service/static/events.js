// @ts-check
// Server-sent events, read from the body of a response.

/**
 * @typedef {{ event: string, data: any }} ServerEvent
 */

/**
 * Yield each event of a stream, its data parsed; comments are skipped.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<ServerEvent, void>}
 */
export async function* readEvents(body) {
  let unread = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (unread + value).split(/\r?\n\r?\n/);
    unread = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parse(block);
      if (event !== null) yield event;
    }
  }
}

/**
 * Return the event of a block of lines; null for one without data, such as a comment.
 * @param {string} block
 * @returns {ServerEvent | null}
 */
function parse(block) {
  let event = "message";
  /** @type {string[]} */
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length === 0 ? null : { event, data: JSON.parse(data.join("\n")) };
}
