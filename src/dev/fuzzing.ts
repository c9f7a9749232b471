/**
 * The inputs and the promises of `npm run fuzz`: texts made from real SQL by mutation, from a dictionary and from noise, and what must
 * hold for each: nothing throws, nothing takes longer than two seconds,
 * no span leaves its source, statements stand in order, and splitting loses no text.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lint, memoryFiles, open } from '../index.ts';
import type { Session } from '../index.ts';
import type { LintResult } from '../lint.ts';
import { decodeLiteral } from '../sql/literal.ts';
import { parse, parsePlpgsql } from '../sql/parse.ts';
import { expressionEnd, lineColumns, nodeEnd, targetEnd, typeEnd } from '../sql/span.ts';
import { split } from '../sql/split.ts';
import { normalText, tokenize } from '../sql/tokens.ts';
import { walk } from '../sql/walk.ts';
import { dictionary, seeds, towers } from './fuzz-corpus.ts';

/** mulberry32: numbers in [0, 1) that depend on the seed alone. */
export type Random = () => number;
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;

/** Every `.sql` under a folder, cut to what one input may be, and the built-in texts. */
export function corpusOf(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.sql')).sort();
  return [...seeds, ...files.map(file => readFileSync(join(folder, file), 'utf8').slice(0, 4000))];
}

/** The input of a number: the same for the same corpus, seed and number, so that a failure is repeated alone. */
export function inputOf(corpus: readonly string[], seed: number, number: number): string {
  const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const kind = random();
  if (kind < 0.7) return mutated(random, corpus);
  if (kind < 0.88) return Array.from({ length: 1 + below(random, 60) }, () => pick(random, dictionary)).join(random() < 0.7 ? ' ' : '');
  if (kind < 0.98) return noise(random, 1 + below(random, 200));
  const [before, opening, middle, closing] = pick(random, towers);
  const height = below(random, 6000);
  return before + opening.repeat(height) + middle + closing.repeat(Math.max(0, height - below(random, 2)));
}

function noise(random: Random, length: number): string {
  const alphabet = pick(random, [
    '\'"$\\;/*-: \n', 'abcSELECT ();\'"', '\u0000\u0001\u007f\u0080\u00a0\ufeff\ud83d\ude00é€;\' ', '$a$b$ ;\n', ':{?}[]\'"ax \\\n',
  ]);
  return Array.from({ length }, () => alphabet[below(random, alphabet.length)]!).join('');
}

function mutated(random: Random, corpus: readonly string[]): string {
  let text = pick(random, corpus);
  for (let n = 1 + below(random, 6); n > 0; n -= 1) {
    const from = below(random, text.length + 1);
    const to = Math.min(text.length, from + below(random, pick(random, [3, 20, 200])));
    const other = pick(random, corpus);
    const start = below(random, other.length);
    switch (below(random, 8)) {
      case 0: text = text.slice(0, from) + text.slice(to); break;
      case 1: text = text.slice(0, to) + text.slice(from); break;
      case 2: text = text.slice(0, from) + pick(random, dictionary) + text.slice(from); break;
      case 3: text = `${text.slice(0, from)} ${pick(random, dictionary)} ${text.slice(to)}`; break;
      case 4: text = text.slice(0, from) + other.slice(start, start + 200) + text.slice(to); break;
      case 5: text = text.slice(0, from); break;
      case 6: text = text.slice(0, from) + noise(random, 1 + below(random, 4)) + text.slice(to); break;
      default: text = random() < 0.5 ? text.replaceAll('\n', '\r\n') : text.slice(from);
    }
    if (text.length > 12_000) text = text.slice(0, 12_000);
  }
  return text;
}

export interface Counts { statements: number; parsed: number; tokens: number; histories: number; findings: number; gaps: number }
export const noCounts = (): Counts => ({ statements: 0, parsed: 0, tokens: 0, histories: 0, findings: 0, gaps: 0 });

class Broken extends Error {}
function hold(condition: boolean, promise: string): void {
  if (!condition) throw new Broken(promise);
}

/** Checks the sql layer on one text; throws where a promise is broken. */
export function checkSql(text: string, random: Random, counts: Counts): void {
  counts.tokens += checkTokens(text);
  lineColumns(text)(text.length);
  for (const psql of [false, true]) {
    const pieces = split(text, { psql });
    checkPieces(text, pieces);
    if (psql) continue;
    for (const piece of pieces) if (piece.kind === 'statement') checkStatement(text.slice(piece.start, piece.end), random, counts);
  }
  parse(text);
  hold(parse('select 1').ok, 'the parser survives');
}

function checkTokens(text: string): number {
  let end = 0;
  const tokens = tokenize(text, { psql: text.length % 2 === 0 });
  for (const token of tokens) {
    hold(token.start >= end && token.end > token.start && token.end <= text.length, 'tokens in order, within the text');
    hold(isBlank(text.slice(end, token.start)), 'nothing but blanks between tokens');
    if (token.kind === 'string') {
      const literal = decodeLiteral(text, token.start, token.end);
      const last = literal?.origins.at(-1);
      hold(last === undefined || (last.end === literal?.text.length && last.sourceEnd < token.end), 'origins of a literal cover its text');
    }
    end = token.end;
  }
  return tokens.length;
}

const isBlank = (text: string): boolean => /^[\ufeff \t\r\n\f\v]*$/.test(text);

function checkPieces(text: string, pieces: ReturnType<typeof split>): void {
  let statementEnd = 0;
  let covered = 0;
  for (const piece of pieces) {
    hold(piece.start >= 0 && piece.start <= piece.end && piece.end <= text.length, `a ${piece.kind} within the text`);
    if (piece.kind === 'statement') {
      hold(piece.start >= statementEnd && piece.start < piece.end, 'statements in order, apart and not empty');
      statementEnd = piece.end;
    }
    if (piece.start < covered) {
      hold(piece.end <= covered || piece.kind === 'comment' || piece.kind === 'meta', 'only comments and commands stand inside statements');
    } else hold(/^(?:[\ufeff \t\r\n\f\v;]|\\[.;\\])*$/.test(text.slice(covered, piece.start)), 'splitting loses no text');
    covered = Math.max(covered, piece.end);
  }
  hold(/^(?:[\ufeff \t\r\n\f\v;]|\\[.;\\])*$/.test(text.slice(covered)), 'splitting loses no text at the end');
}

function checkStatement(sql: string, random: Random, counts: Counts): void {
  counts.statements += 1;
  normalText(sql);
  const parsed = parse(sql);
  if (!parsed.ok) {
    hold(parsed.at >= 0 && parsed.at <= sql.length, 'an error within the text');
    return;
  }
  counts.parsed += 1;
  // Each end costs a pass over the rest of its clause: a few dozen a statement keep the check itself linear.
  let ends = 40;
  walk(parsed.node, (_, node) => {
    const location = node['location'];
    const sound = location === undefined || (typeof location === 'number' && location >= -1 && location <= sql.length);
    hold(sound, 'a location within the text');
    if (typeof location !== 'number' || location < 0 || ends === 0 || random() > 0.2) return;
    ends -= 1;
    for (const end of [nodeEnd, expressionEnd, targetEnd, typeEnd]) {
      const at = end(sql, location);
      hold(at >= location && at <= sql.length, 'an end within the text');
    }
  });
  if ('CreateFunctionStmt' in parsed.node || 'DoStmt' in parsed.node) parsePlpgsql(sql);
}

/** Two files as each tool names them. */
const layouts: readonly (readonly [string, string])[] = [
  ['migrations/001_a.sql', 'migrations/002_b.sql'], ['db/migration/V1__a.sql', 'db/migration/R__b.sql'],
  ['migrations/000001_a.up.sql', 'migrations/000002_b.up.sql'],
  ['prisma/migrations/20240101000000_a/migration.sql', 'prisma/migrations/20240102000000_b/migration.sql'],
];

/** Reads and lints a history of two texts; throws where a promise is broken, a crashed rule included. */
export async function checkLint(first: string, second: string, random: Random, counts: Counts): Promise<void> {
  const [one, two] = pick(random, layouts);
  const session = await open(memoryFiles({ [one]: first, [two]: second }));
  const result = lint(session, { preset: 'all', allHistory: random() < 0.5, postgres: pick(random, [14, 16, 18]) });
  counts.histories += session.histories.length;
  counts.findings += result.report.findings.length;
  counts.gaps += result.report.gaps.length;
  hold(result.report.crashes.length === 0, `no rule crashes: ${JSON.stringify(result.report.crashes[0])}`);
  checkSpans(session, result);
}

/** Every span of a report and of what it was made from lies within its source. */
function checkSpans(session: Session, result: LintResult): void {
  const lengths = new Map<string, number>();
  const todo: unknown[] = [session.histories, result.report];
  const seen = new Set<object>();
  for (let value = todo.pop(); value !== undefined; value = todo.pop()) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const { path, start, end } = value as { path?: unknown; start?: unknown; end?: unknown };
    if (typeof path === 'string' && typeof start === 'number' && typeof end === 'number') {
      const length = lengths.get(path) ?? session.text(path)?.length ?? -1;
      lengths.set(path, length);
      hold(start >= 0 && start <= end && end <= length, `a span within its source: ${path} ${start}-${end} of ${length}`);
    } else for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) todo.push(child);
  }
}

export interface Failure { readonly number: number; readonly because: string }
export interface Fuzzed { readonly counts: Counts; readonly failures: readonly Failure[]; readonly slowest: number }

/** Milliseconds of processor one input may take, through the sql layer and through the whole of lint: the clock on the wall counts other people's work. */
const limit = 2000;

/** Runs the inputs with these numbers; `beat` is told of each before it begins. */
export async function fuzz(
  corpus: readonly string[], seed: number, from: number, to: number, beat: (number: number) => void = () => {},
): Promise<Fuzzed> {
  const counts = noCounts();
  const failures: Failure[] = [];
  let slowest = 0;
  let previous = 'create table t (a int);';
  for (let number = from; number < to; number += 1) {
    beat(number);
    const text = inputOf(corpus, seed, number);
    const random = randomOf(seed + number);
    const began = process.cpuUsage();
    try {
      checkSql(text, random, counts);
      // What an input left behind may matter to the next one; alone, an input meets the one before it as well.
      if (number === from && number > 0) previous = inputOf(corpus, seed, number - 1);
      await checkLint(previous, text, random, counts);
    } catch (error) {
      const because = error instanceof Broken ? error.message : error instanceof Error ? error.stack ?? error.message : String(error);
      failures.push({ number, because });
    }
    const { user, system } = process.cpuUsage(began);
    const took = (user + system) / 1000;
    slowest = Math.max(slowest, took);
    if (took > limit) failures.push({ number, because: `took ${Math.round(took)} ms` });
    previous = text;
  }
  return { counts, failures, slowest };
}
