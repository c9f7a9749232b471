import { continuation } from './lexer.ts';

/** A run of the decoded text and the run of `sql` it came from; equal lengths map unit by unit, any other maps whole. */
export interface LiteralOrigin {
  readonly start: number;
  readonly end: number;
  readonly sourceStart: number;
  readonly sourceEnd: number;
}
export interface DecodedLiteral {
  readonly text: string;
  readonly origins: readonly LiteralOrigin[];
}

/**
 * The text of a string literal token (`'…'`, `E'…'`, `N'…'`, `U&'…'`, `$tag$…$tag$`, with continuation lines) and where each part of
 * it stands. Undefined when the token is none of these, is unterminated, is B'…' or X'…', has a broken escape, or is U& with
 * another escape character: UESCAPE is left out deliberately, it stands outside of the token.
 */
export function decodeLiteral(sql: string, start: number, end: number): DecodedLiteral | undefined {
  const c = sql.charCodeAt(start);
  if (c === 36) return dollarQuoted(sql, start, end);
  if (c === 39) return quoted(sql, start, end, plain);
  const next = sql.charCodeAt(start + 1);
  const letter = c | 32;
  if (next === 39 && letter === 101) return quoted(sql, start + 1, end, backslashEscape);
  if (next === 39 && letter === 110) return quoted(sql, start + 1, end, plain);
  if (next === 38 && letter === 117 && sql.charCodeAt(start + 2) === 39) {
    if (/^\s*uescape\b/i.test(sql.slice(end, end + 200))) return undefined;
    return quoted(sql, start + 2, end, unicodeEscape);
  }
  return undefined;
}

function dollarQuoted(sql: string, start: number, end: number): DecodedLiteral | undefined {
  const open = sql.indexOf('$', start + 1) + 1;
  const tag = sql.slice(start, open);
  if (open === 0 || open > end - tag.length || !sql.startsWith(tag, end - tag.length)) return undefined;
  const close = end - tag.length;
  return { text: sql.slice(open, close), origins: [{ start: 0, end: close - open, sourceStart: open, sourceEnd: close }] };
}

/** Reads one escape at `at` (a backslash): its text and its end; undefined when it is broken. */
type Escape = (sql: string, at: number) => { readonly text: string; readonly end: number } | undefined;
const plain: Escape | undefined = undefined;

function quoted(sql: string, open: number, end: number, escape: Escape | undefined): DecodedLiteral | undefined {
  const parts: string[] = [];
  const origins: LiteralOrigin[] = [];
  let length = 0;
  const add = (text: string, sourceStart: number, sourceEnd: number): void => {
    if (text === '') return;
    parts.push(text);
    origins.push({ start: length, end: length + text.length, sourceStart, sourceEnd });
    length += text.length;
  };
  let run = open + 1;
  for (let i = run; i < end;) {
    const c = sql.charCodeAt(i);
    if (c === 92 && escape !== undefined) {
      const found = escape(sql, i);
      if (found === undefined || found.end > end) return undefined;
      add(sql.slice(run, i), run, i);
      add(found.text, i, found.end);
      run = i = found.end;
    } else if (c !== 39) i += 1;
    else if (i + 1 < end && sql.charCodeAt(i + 1) === 39) {
      add(sql.slice(run, i), run, i);
      add("'", i, i + 2);
      run = i += 2;
    } else {
      add(sql.slice(run, i), run, i);
      if (i + 1 === end) return { text: parts.join(''), origins };
      const again = continuation(sql, i + 1);
      if (again < 0 || again >= end) return undefined;
      run = i = again + 1;
    }
  }
  return undefined;
}

const simple: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** scan.l xeescape, xeoctesc, xehexesc, xeunicode. Octal and hex escapes above ASCII are bytes, not characters: refused here. */
function backslashEscape(sql: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const c = sql[at + 1];
  if (c === undefined) return undefined;
  const byte = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(sql.slice(at + 1, at + 4))?.[0];
  if (byte !== undefined) {
    const code = byte.startsWith('x') ? Number.parseInt(byte.slice(1), 16) : Number.parseInt(byte, 8);
    return code === 0 || code > 127 ? undefined : { text: String.fromCharCode(code), end: at + 1 + byte.length };
  }
  if (c === 'u' || c === 'U') return unicode(sql, at + 2, c === 'u' ? 4 : 8);
  return { text: simple[c] ?? c, end: at + 2 };
}

function unicodeEscape(sql: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const c = sql[at + 1];
  if (c === '\\') return { text: '\\', end: at + 2 };
  return c === '+' ? unicode(sql, at + 2, 6) : unicode(sql, at + 1, 4);
}

function unicode(sql: string, from: number, digits: number): { readonly text: string; readonly end: number } | undefined {
  const hex = sql.slice(from, from + digits);
  if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) return undefined;
  const code = Number.parseInt(hex, 16);
  if (code === 0 || code > 0x10ffff) return undefined;
  return { text: String.fromCodePoint(code), end: from + digits };
}
