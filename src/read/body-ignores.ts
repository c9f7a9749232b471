/** Comments inside of routine bodies and DO blocks, and the statement of the body that each of them stands at. */
import { decodeLiteral, type DecodedLiteral } from '../sql/literal.ts';
import { tokenize, type Token } from '../sql/tokens.ts';

/** A half-open range of a body's text. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A comment of a body; the statement that it stands above, in or at the end of, where there is one. */
export interface BodyComment {
  /** The text of the body, whose offsets the ranges count. */
  readonly body: string;
  readonly comment: Stretch;
  readonly target: Stretch | undefined;
  /** An offset of the body as one of the text that holds it; of an escape, its start or its end. */
  readonly outer: (offset: number, isEnd: boolean) => number;
}

/** What holds code in literals: the other strings are data, whatever stands in them. */
const holdsCode = /^(?:do\b|create\s+(?:or\s+replace\s+)?(?:function|procedure)\b)|\bcron\s*\.\s*schedule/i;
const deepest = 3;

/** The comments that hold `word`, in the bodies of the statement at `start`–`end` of a text. Linear in the statement. */
export function bodyComments(text: string, { start, end }: Stretch, word: string): readonly BodyComment[] {
  const sql = text.slice(start, end);
  if (!sql.includes(word) || !holdsCode.test(sql)) return [];
  return inLiterals(sql, tokenize(sql), word, at => at + start, 0);
}

function inLiterals(sql: string, tokens: readonly Token[], word: string, outer: BodyComment['outer'], depth: number): readonly BodyComment[] {
  return tokens.flatMap(token => {
    if (token.kind !== 'string' || depth >= deepest || !sql.slice(token.start, token.end).includes(word)) return [];
    // Beneath the body itself only what is dollar-quoted is taken for code.
    const literal = depth > 0 && sql[token.start] !== '$' ? undefined : decodeLiteral(sql, token.start, token.end);
    if (literal === undefined) return [];
    const place: BodyComment['outer'] = (at, isEnd) => outer(sourceOf(literal, at, isEnd), isEnd);
    const inner = tokenize(literal.text);
    return [...ownComments(literal.text, inner, word, place), ...inLiterals(literal.text, inner, word, place, depth + 1)];
  });
}

function sourceOf({ origins }: DecodedLiteral, offset: number, isEnd: boolean): number {
  const at = isEnd ? offset - 1 : offset;
  let [low, high] = [0, origins.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (origins[middle]!.start <= at) low = middle;
    else high = middle - 1;
  }
  const origin = origins[low];
  if (origin === undefined) return offset;
  if (origin.end - origin.start !== origin.sourceEnd - origin.sourceStart) return isEnd ? origin.sourceEnd : origin.sourceStart;
  return origin.sourceStart + offset - origin.start;
}

/** A statement of a body, while it is read. */
interface Open {
  readonly start: number;
  end?: number;
}

/** What ends with END: the statement that it belongs to, and whether THEN and ELSE begin statements in it. */
interface Frame {
  readonly of: Open;
  kind: 'declare' | 'block' | 'if' | 'loop' | 'case' | 'expression';
}

function ownComments(body: string, tokens: readonly Token[], word: string, outer: BodyComment['outer']): readonly BodyComment[] {
  const found: { readonly comment: Stretch; target: Open | undefined }[] = [];
  const statements = new Statements(body);
  /** Comments line over line that wait for the statement below them, and where the last of them ends. */
  let waiting: (typeof found[number])[] = [];
  let touches = -1;
  for (const token of tokens) {
    const follows = /^[ \t\r\f]*\n?[ \t\r\f]*$/.test(body.slice(touches, touches < 0 ? 0 : token.start));
    if (token.kind !== 'lineComment' && token.kind !== 'blockComment') {
      const opened = statements.take(token);
      if (opened && follows) for (const one of waiting) one.target = opened;
      waiting = [];
      continue;
    }
    if (!follows) waiting = [];
    touches = token.end;
    const { last, current } = statements;
    const sameLine = last !== undefined && !body.slice(last.token.end, token.start).includes('\n');
    const one = { comment: { start: token.start, end: token.end }, target: current ?? (sameLine ? last.ended : undefined) };
    if (one.target === undefined) waiting.push(one);
    if (body.slice(token.start, token.end).includes(word)) found.push(one);
  }
  return found.map(({ comment, target }) => ({
    body, comment, outer, target: target && { start: target.start, end: target.end ?? statements.endAfter(target.start) },
  }));
}

/** Cuts a PL/pgSQL or SQL body into statements by its words; a block, an IF or a loop is one statement that holds others. */
class Statements {
  /** The statement that the next token goes on with. */
  current: Open | undefined;
  /** The last token, and the statement that it ended. */
  last: { readonly token: Token; readonly word: string; readonly ended: Open | undefined } | undefined;
  private readonly body: string;
  private readonly frames: Frame[] = [];
  private readonly semicolons: number[] = [];

  constructor(body: string) {
    this.body = body;
  }

  /** Takes the next token; answers with the statement that begins at it. */
  take(token: Token): Open | undefined {
    const text = token.kind === 'word' || token.kind === 'punctuation' ? this.body.slice(token.start, token.end).toLowerCase() : '';
    const opened: Open | undefined = this.current ? undefined : { start: token.start };
    const current = this.current ?? opened!;
    this.current = current;
    const ended = text === ';' ? current : undefined;
    if (ended) {
      ended.end = token.start;
      this.semicolons.push(token.start);
      this.current = undefined;
    } else if (token.kind === 'word') this.word(text, current, opened !== undefined);
    this.last = { token, word: text, ended };
    return opened;
  }

  private word(word: string, current: Open, first: boolean): void {
    const top = this.frames.at(-1);
    if (this.last?.word === 'end' && (word === 'if' || word === 'loop' || word === 'case')) return;
    if (word === 'end') {
      const frame = this.frames.pop();
      if (frame) this.current = frame.of;
    } else if (word === 'declare' && first) this.push({ of: current, kind: 'declare' });
    else if (word === 'begin' && first && top?.kind === 'declare') {
      top.kind = 'block';
      this.current = undefined;
    } else if (word === 'begin' && first) this.push({ of: current, kind: 'block' });
    else if (word === 'loop') this.push({ of: current, kind: 'loop' });
    else if (word === 'if' && first) this.frames.push({ of: current, kind: 'if' });
    else if (word === 'case') this.frames.push({ of: current, kind: first ? 'case' : 'expression' });
    else if (word === 'then' && top && top.kind !== 'expression' && top.kind !== 'declare') this.current = undefined;
    else if (word === 'else' && (top?.kind === 'if' || top?.kind === 'case')) this.current = undefined;
  }

  private push(frame: Frame): void {
    this.frames.push(frame);
    this.current = undefined;
  }

  /** The end of a statement that nothing ended: at the next semicolon, or with the body. */
  endAfter(start: number): number {
    let [low, high] = [0, this.semicolons.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.semicolons[middle]! > start) high = middle;
      else low = middle + 1;
    }
    return this.semicolons[low] ?? this.body.trimEnd().length;
  }
}
