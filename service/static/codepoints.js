// The service counts Unicode code points; JavaScript strings count UTF-16 units.
// An emoji is one of the first and two of the second.

/** The UTF-16 index at which code point number `offset` of `text` begins, at most the text's length. */
export function utf16Index(text, offset) {
  let index = 0;
  for (let passed = 0; passed < offset && index < text.length; passed += 1) {
    index += text.codePointAt(index) > 0xffff ? 2 : 1;
  }
  return index;
}

/** The code points `[start, end)` of `text`: slice("😀ab", 1, 2) is "a". */
export function slice(text, start, end) {
  return text.slice(utf16Index(text, start), utf16Index(text, end));
}
