// Server-sent events, read from the body of a response.

/** Each event of a stream as `{ event, data }`, its data parsed; comments are passed over. */
export async function* readEvents(body) {
  let unread = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    unread += value;
    const blocks = unread.split(/\r?\n\r?\n/);
    unread = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event !== null) yield event;
    }
  }
}

function parse(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "event") fields.event = value;
    if (name === "data") fields.data.push(value);
  }
  if (fields.data.length === 0) return null;
  return { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
}
