// @ts-check
// The service counts Unicode code points; JavaScript strings count UTF-16 units.
// An emoji is one of the first and two of the second.

/**
 * Return the UTF-16 index of code point number `offset` in `text`, at most the text's length.
 * @param {string} text
 * @param {number} offset
 */
export function toUtf16Index(text, offset) {
  let index = 0;
  for (let passed = 0; passed < offset && index < text.length; passed += 1) {
    index += /** @type {number} */ (text.codePointAt(index)) > 0xffff ? 2 : 1;
  }
  return index;
}

/**
 * Return the code points `[start, end)` of `text`: slice("😀ab", 1, 2) is "a".
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
export function slice(text, start, end) {
  return text.slice(toUtf16Index(text, start), toUtf16Index(text, end));
}
