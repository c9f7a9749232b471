/**
 * The three units of the parser turned into one: trees count UTF-8 bytes, errors count code points, mvlint counts UTF-16 units
 * (measured: `'😀é',` is 13 code points, 14 units, 17 bytes in).
 */

const beyondAscii = /[^\u0000-\u007f]/;

/** Maps byte offsets of the UTF-8 form of `text` to UTF-16 offsets; undefined when the two are the same (ASCII). */
export function utf16OfBytes(text: string): ((byte: number) => number) | undefined {
  if (!beyondAscii.test(text)) return undefined;
  // Checkpoints of (byte, unit) at every character beyond ASCII: between two of them bytes and units run alike.
  const bytes: number[] = [];
  const units: number[] = [];
  let byte = 0;
  for (let unit = 0; unit < text.length;) {
    const c = text.charCodeAt(unit);
    if (c < 0x80) { byte += 1; unit += 1; continue; }
    // A lone surrogate becomes U+FFFD, three bytes (measured).
    const pair = c >= 0xd800 && c < 0xdc00 && (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00;
    byte += pair ? 4 : c < 0x800 ? 2 : 3;
    unit += pair ? 2 : 1;
    bytes.push(byte);
    units.push(unit);
  }
  return offset => {
    let low = 0;
    let high = bytes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bytes[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    const base = low === 0 ? offset : units[low - 1]! + (offset - bytes[low - 1]!);
    return Math.min(base, text.length);
  };
}

/** UTF-16 offset of the code point with this number (0-based), at most the length of the text. */
export function utf16OfCodePoint(text: string, codePoint: number): number {
  let unit = 0;
  for (let n = 0; n < codePoint && unit < text.length; n += 1) {
    const c = text.charCodeAt(unit);
    unit += c >= 0xd800 && c < 0xdc00 && (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
  }
  return unit;
}
