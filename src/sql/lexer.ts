/**
 * The lexer under `tokenize` and `split`: Postgres's scan.l as psql's psqlscan.l applies it, with standard_conforming_strings on.
 * It never fails: what is unterminated runs to the end of the text. Each call of `scan` takes time linear in what it consumes
 * (strings look over following blanks for a continuation, so a blank may be read twice).
 */

export type TokenKind =
  | 'word' | 'quotedIdentifier' | 'string' | 'number' | 'parameter' | 'operator' | 'punctuation' | 'lineComment' | 'blockComment'
  | 'variable' | 'placeholder' | 'error';

export interface Scanned {
  /** `blank` never leaves this folder; `backslash` is where a psql command begins. */
  kind: TokenKind | 'blank' | 'backslash';
  end: number;
  /** Depth of `[`: inside, `x:y` is an array slice and no psql variable. */
  brackets: number;
  /** The last token before this one was an operand that touches this one: `a[lo:hi]`. */
  operandEnd: number;
  /** Up to here stand nothing but `+` and `-`, each a token of its own; known once, so that long runs stay linear. */
  signsEnd: number;
  /** A quote, comment or dollar quote met the end of the text. */
  unterminated: boolean;
}

export const newScanned = (): Scanned => ({ kind: 'blank', end: 0, brackets: 0, operandEnd: -1, signsEnd: -1, unterminated: false });

// Classes of the first 128 units; everything above is a letter to Postgres (NBSP and the BOM too, measured).
const BLANK = 1, LETTER = 2, DIGIT = 4, OPERATOR = 8, SELF = 16;
const classes = new Uint8Array(128);
for (const c of ' \t\n\r\f\v') classes[c.charCodeAt(0)] = BLANK;
for (let c = 0; c < 26; c += 1) classes[65 + c] = classes[97 + c] = LETTER;
classes[95] = LETTER;
for (let c = 48; c < 58; c += 1) classes[c] = DIGIT;
for (const c of '~!@#^&|`?+-*/%<>=') classes[c.charCodeAt(0)] = OPERATOR;
for (const c of ',()[].;:') classes[c.charCodeAt(0)] = SELF;

export const isBlank = (c: number): boolean => c < 128 && classes[c] === BLANK;
/** First unit of an identifier. */
export const isLetter = (c: number): boolean => c >= 128 || classes[c] === LETTER;
export const isDigit = (c: number): boolean => c >= 48 && c <= 57;
/** Later unit of an identifier, `$` aside. */
const isLetterOrDigit = (c: number): boolean => c >= 128 || (classes[c]! & (LETTER | DIGIT)) !== 0;

/**
 * Reads one token (or a run of blanks) at `start < text.length` and leaves kind and end in `out`.
 * `psql` adds `:var` forms and the backslash; otherwise a backslash is an error token and `:` punctuation.
 */
export function scan(text: string, start: number, psql: boolean, out: Scanned): void {
  const c = text.charCodeAt(start);
  out.unterminated = false;
  if (c >= 128) {
    if (start === 0 && c === 0xfeff) { out.kind = 'blank'; out.end = 1; return; }
    word(text, start, out);
    return;
  }
  switch (classes[c]) {
    case BLANK: {
      let i = start + 1;
      while (i < text.length && isBlank(text.charCodeAt(i))) i += 1;
      out.kind = 'blank'; out.end = i;
      return;
    }
    case LETTER:
      if (!prefixedQuote(text, start, c, out)) word(text, start, out);
      return;
    case DIGIT:
      number(text, start, out);
      return;
    case SELF:
      self(text, start, c, psql, out);
      return;
    case OPERATOR:
      if (c === 45 && text.charCodeAt(start + 1) === 45) { out.kind = 'lineComment'; out.end = endOfLine(text, start); return; }
      if (c === 47 && text.charCodeAt(start + 1) === 42) { blockComment(text, start, out); return; }
      operator(text, start, out);
      return;
    default:
      other(text, start, c, psql, out);
  }
}

/** Words that no quote follows, whose prefix they might be; numbers; strings behind which the text goes on at once; commas and dots. */
const plainTokens = new RegExp(`(?:[ \\t\\n\\r\\f\\v]*(?:${[
  /[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_$&'\u0080-\uffff])/, /\d+(?:\.\d+)?(?![\w.$\u0080-\uffff])/, /'[^']*'(?=[,);])/, /,/, /\.(?![.\d])/,
].map(part => part.source).join('|')})){1,500}`, 'y');

/**
 * The end of a run of tokens at `start` that `scan` would read one by one, words and values and what separates them; `start` itself where there is none.
 * Outside of brackets only. Most of a script is such runs, and one expression takes a third of the time.
 */
export function plainEnd(text: string, start: number): number {
  plainTokens.lastIndex = start;
  return plainTokens.test(text) ? plainTokens.lastIndex : start;
}

/** The index of the line break at or after `start`, or the end of the text. */
export function endOfLine(text: string, start: number): number {
  let i = start;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === 10 || c === 13) break;
    i += 1;
  }
  return i;
}

function token(out: Scanned, kind: TokenKind, end: number, operand = false): void {
  out.kind = kind; out.end = end;
  if (operand) out.operandEnd = end;
}

function word(text: string, start: number, out: Scanned): void {
  let i = start + 1;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (!isLetterOrDigit(c) && c !== 36) break;
    i += 1;
  }
  token(out, 'word', i, true);
}

/** `E'`, `B'`, `X'`, `N'`, `U&'`, `U&"` in either case; a blank between prefix and quote makes two tokens. */
function prefixedQuote(text: string, start: number, c: number, out: Scanned): boolean {
  const next = text.charCodeAt(start + 1);
  if (next === 39) {
    const lower = c | 32;
    if (lower === 101) { string(text, start + 1, true, out); return true; }
    if (lower === 98 || lower === 120 || lower === 110) { string(text, start + 1, false, out); return true; }
    return false;
  }
  if (next === 38 && (c | 32) === 117) {
    const quote = text.charCodeAt(start + 2);
    if (quote === 39) { string(text, start + 2, false, out); return true; }
    if (quote === 34) { quotedIdentifier(text, start + 2, out); return true; }
  }
  return false;
}

/** From the opening quote at `quote`; a string goes on after a line break and another quote, in the mode it began in. */
function string(text: string, quote: number, escapes: boolean, out: Scanned): void {
  let open = quote;
  for (;;) {
    const end = segmentEnd(text, open, escapes);
    if (end < 0) { out.unterminated = true; token(out, 'string', text.length, true); return; }
    const next = continuation(text, end);
    if (next < 0) { token(out, 'string', end, true); return; }
    open = next;
  }
}

/** End (exclusive) of the quoted run that opens at `open`, or -1. */
function segmentEnd(text: string, open: number, escapes: boolean): number {
  let i = open + 1;
  if (!escapes) {
    for (;;) {
      const at = text.indexOf("'", i);
      if (at < 0) return -1;
      if (text.charCodeAt(at + 1) !== 39) return at + 1;
      i = at + 2;
    }
  }
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === 92) { i += 2; continue; }
    if (c === 39) {
      if (text.charCodeAt(i + 1) !== 39) return i + 1;
      i += 2;
      continue;
    }
    i += 1;
  }
  return -1;
}

/** scan.l `quotecontinue`: blanks with a line break among them (comments allowed after the first break's line), then a quote. */
export function continuation(text: string, end: number): number {
  let i = end;
  let broken = false;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === 10 || c === 13) { broken = true; i += 1; continue; }
    if (isBlank(c)) { i += 1; continue; }
    if (c === 45 && text.charCodeAt(i + 1) === 45) {
      i = endOfLine(text, i);
      continue;
    }
    return c === 39 && broken ? i : -1;
  }
  return -1;
}

function quotedIdentifier(text: string, quote: number, out: Scanned): void {
  let i = quote + 1;
  for (;;) {
    const at = text.indexOf('"', i);
    if (at < 0) { out.unterminated = true; token(out, 'quotedIdentifier', text.length, true); return; }
    if (text.charCodeAt(at + 1) !== 34) { token(out, 'quotedIdentifier', at + 1, true); return; }
    i = at + 2;
  }
}

function blockComment(text: string, start: number, out: Scanned): void {
  let depth = 1;
  let i = start + 2;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === 42 && text.charCodeAt(i + 1) === 47) {
      depth -= 1;
      i += 2;
      if (depth === 0) { token(out, 'blockComment', i); return; }
    } else if (c === 47 && text.charCodeAt(i + 1) === 42) {
      depth += 1;
      i += 2;
    } else i += 1;
  }
  out.unterminated = true;
  token(out, 'blockComment', text.length);
}

/** Hexadecimal, octal and binary integers; else digits with a fraction (never the first of two dots) and an exponent. */
const numberPattern = new RegExp([
  /0[xX](?:_?[0-9a-fA-F])+/, /0[oO](?:_?[0-7])+/, /0[bB](?:_?[01])+/,
  /(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/,
].map(part => part.source).join('|'), 'y');

function number(text: string, start: number, out: Scanned): void {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const next = text.charCodeAt(end);
  // Most numbers are plain integers, and a loop is cheaper than the expression; a fraction, an exponent or another base goes on.
  if (end > start && next !== 46 && !isLetter(next)) { token(out, 'number', end, true); return; }
  numberPattern.lastIndex = start;
  numberPattern.test(text);
  token(out, 'number', Math.max(numberPattern.lastIndex, start + 1), true);
}

function self(text: string, start: number, c: number, psql: boolean, out: Scanned): void {
  const next = text.charCodeAt(start + 1);
  if (c === 46) {
    if (isDigit(next)) { number(text, start, out); return; }
    token(out, 'punctuation', next === 46 ? start + 2 : start + 1);
    return;
  }
  if (c === 58) {
    if (next === 58 || next === 61) { token(out, 'punctuation', start + 2); return; }
    const end = psql && !(out.brackets > 0 && out.operandEnd === start) ? variableEnd(text, start, next) : -1;
    if (end > 0) { token(out, 'variable', end, true); return; }
    token(out, 'punctuation', start + 1);
    return;
  }
  if (c === 91) out.brackets += 1;
  else if (c === 93) out.brackets = Math.max(0, out.brackets - 1);
  else if (c === 59) out.brackets = 0;
  token(out, 'punctuation', start + 1, c === 41 || c === 93);
}

/** psqlscan.l `:name`, `:'name'`, `:"name"`, `:{?name}`; a name of digits only is left alone, for `a[1:2]`. psql
 * itself would fill `:2` and the slice `[lo:hi]` too once variables of these names are set (measured, psql 15); here they stay slices. */
function variableEnd(text: string, start: number, next: number): number {
  if (isLetter(next)) return nameEnd(text, start + 1);
  if (next === 39 || next === 34) {
    const end = nameEnd(text, start + 2);
    return end > start + 2 && text.charCodeAt(end) === next ? end + 1 : -1;
  }
  if (next === 123 && text.charCodeAt(start + 2) === 63) {
    const end = nameEnd(text, start + 3);
    return end > start + 3 && text.charCodeAt(end) === 125 ? end + 1 : -1;
  }
  return -1;
}

function nameEnd(text: string, start: number): number {
  let i = start;
  while (i < text.length && isLetterOrDigit(text.charCodeAt(i))) i += 1;
  return i;
}

/** scan.l `operator`: the longest run that holds no comment start; a trailing + or - stays only with one of ~!@#%^&|`? in the run. */
function operator(text: string, start: number, out: Scanned): void {
  let i = start + 1;
  if (start < out.signsEnd) { token(out, 'operator', i); return; }
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c >= 128 || classes[c] !== OPERATOR) break;
    const next = text.charCodeAt(i + 1);
    if ((c === 45 && next === 45) || (c === 47 && next === 42)) break;
    i += 1;
  }
  if (i - start > 1 && isSign(text.charCodeAt(i - 1))) {
    let special = false;
    for (let j = start; j < i - 1 && !special; j += 1) special = '~!@#%^&|`?'.includes(text[j]!);
    if (!special) {
      out.signsEnd = i;
      while (i - start > 1 && isSign(text.charCodeAt(i - 1))) i -= 1;
    }
  }
  token(out, 'operator', i);
}
const isSign = (c: number): boolean => c === 43 || c === 45;

const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

function other(text: string, start: number, c: number, psql: boolean, out: Scanned): void {
  if (c === 39) { string(text, start, false, out); return; }
  if (c === 34) { quotedIdentifier(text, start, out); return; }
  if (c === 36) { dollar(text, start, out); return; }
  if (c === 92 && psql) { out.kind = 'backslash'; out.end = start + 1; return; }
  if (c === 123 && text.charCodeAt(start + 1) === 123) {
    // A template hole stands on one line and holds no other one; the run is read once, so hostile texts stay linear.
    let i = start + 2;
    while (i < text.length && !'{}\n\r'.includes(text[i]!)) i += 1;
    if (text.startsWith('}}', i)) { token(out, 'placeholder', i + 2, true); return; }
  }
  token(out, 'error', start + 1);
}

function dollar(text: string, start: number, out: Scanned): void {
  const next = text.charCodeAt(start + 1);
  if (isDigit(next)) {
    let i = start + 2;
    while (isDigit(text.charCodeAt(i))) i += 1;
    token(out, 'parameter', i, true);
    return;
  }
  if (next === 123) {
    let i = start + 2;
    while (i < text.length && !'}{\n\r\'"'.includes(text[i]!)) i += 1;
    if (text.charCodeAt(i) === 125) { token(out, 'placeholder', i + 1, true); return; }
  }
  dollarTag.lastIndex = start;
  if (!dollarTag.test(text)) { token(out, 'error', start + 1); return; }
  const tag = text.slice(start, dollarTag.lastIndex);
  const close = text.indexOf(tag, dollarTag.lastIndex);
  out.unterminated = close < 0;
  token(out, 'string', close < 0 ? text.length : close + tag.length, true);
}
