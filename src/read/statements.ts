import type { Ignore, Origin, Span, Statement } from '../model.ts';
import { comesNext } from '../sql/ahead.ts';
import { split } from '../sql/split.ts';
import type { Piece } from '../sql/split.ts';
import { tokenize } from '../sql/tokens.ts';
import { originsIn, placeOf, replaced, spanOf, whole } from './assembly.ts';
import type { Assembled } from './assembly.ts';
import { placeholdersIn, replacements } from './fill.ts';
import type { Replacement } from './fill.ts';
import { ignoresOf, noIgnores } from './ignores.ts';
import { hole } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { Source } from './text.ts';

/** Values by name; a name that is not there is a hole. */
export type Values = Readonly<Record<string, string>>;

/** A half-open range of a text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const valueOf = (values: Values, name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);

/** The statements of a file in which nothing is replaced. */
export const plainStatements = (source: Source, ledger: Ledger): readonly Statement[] => statementsOf(source, undefined, ledger);

/**
 * The statements of a file that a tool sends as it stands. `${name}` is no syntax of such a tool, but wrappers (envsubst) use it: outside
 * of strings it is filled from `values` or becomes a hole, inside of strings it is text unless `values` knows it.
 */
export const looseStatements = (source: Source, values: Values, ledger: Ledger): readonly Statement[] =>
  statementsOf(source, values, ledger);

function statementsOf(source: Source, values: Values | undefined, ledger: Ledger): readonly Statement[] {
  ledger.gaps.push(...source.gaps);
  if (source.text === '') return [];
  const { path, text } = source;
  return statementsIn(whole(path, text), [{ start: 0, end: text.length }], values, ledger)[0] ?? [];
}

/**
 * The statements of each range of a text, range by range: every range is cut by itself, as the server would cut what it is sent. Names
 * without a value are said once a name; with `values`, `${name}` is looked for as in `looseStatements`. Text between the ranges holds no
 * statement, but its comments may hold ignores of the whole file.
 */
export function statementsIn(
  of: Assembled, ranges: readonly Range[], values: Values | undefined, ledger: Ledger,
): readonly (readonly Statement[])[] {
  const { text } = of;
  const cut = ranges.map(({ start, end }) => piecesOf(text, start, end));
  const directives = text.includes('mvlint-ignore');
  const between = directives ? commentsBetween(text, ranges) : [];
  const all = [...between, ...cut.flat()];
  const ignores = directives ? ignoresOf(text, all, { at: (offset, isEnd) => placeOf(of, offset, isEnd) }, ledger) : undefined;
  const loose = values !== undefined && (text.includes('${') || text.includes('{{')) ? values : undefined;
  let index = between.length;
  let said = 0;
  return cut.map(pieces => {
    const statements: Statement[] = [];
    for (const [at, piece] of pieces.entries()) {
      const own = ignores?.get(index++) ?? noIgnores;
      if (piece.kind !== 'statement') continue;
      for (let one = of.holes[said]; one !== undefined && one.start < piece.end; one = of.holes[++said]) {
        if (one.start >= piece.start) sayHole(one, ledger);
      }
      const statement = statementAt(of, piece, loose, own, ledger);
      comesNext(statement.sql);
      statements.push(withData(statement, text, pieces, at));
    }
    return statements;
  });
}

/** The statement with the COPY data that stand beneath it; `index` is that of its piece. */
export function withData(statement: Statement, text: string, pieces: readonly Piece[], index: number): Statement {
  for (let at = index + 1; at < pieces.length; at++) {
    const piece = pieces[at] as Piece;
    if (piece.kind === 'statement') break;
    if (piece.kind === 'copyData') return { ...statement, data: text.slice(piece.start, piece.end) };
  }
  return statement;
}

function piecesOf(text: string, start: number, end: number): readonly Piece[] {
  if (start === 0 && end === text.length) return split(text);
  const pieces = split(text.slice(start, end));
  return start === 0 ? pieces : pieces.map(piece => ({ ...piece, start: piece.start + start, end: piece.end + start }));
}

function commentsBetween(text: string, ranges: readonly Range[]): readonly Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const { start, end } of [...ranges.toSorted((a, b) => a.start - b.start), { start: text.length, end: text.length }]) {
    if (start > at) found.push(...piecesOf(text, at, start).filter(({ kind }) => kind === 'comment'));
    at = Math.max(at, end);
  }
  return found;
}

function statementAt(of: Assembled, { start, end }: Range, values: Values | undefined, ignores: readonly Ignore[],
  ledger: Ledger): Statement {
  const sql = of.text.slice(start, end);
  const span = spanOf(of, start, end);
  if (values === undefined || (!sql.includes('${') && !sql.includes('{{')))
    return asWritten(sql, span, originsIn(of, start, end), ignores);
  const list = replacements(sql, looseNames(sql, values)).map(one => ({ ...one, start: one.start + start, end: one.end + start }));
  return { ...filled(of, { start, end }, list, ledger), span, ignores };
}

/** Where the file holds the statement unit by unit, its place says all. */
function asWritten(sql: string, span: Span, origins: readonly Origin[], ignores: readonly Ignore[]): Statement {
  const [only] = origins;
  const isWhole = origins.length === 1 && only!.start === 0 && only!.end === sql.length && only!.span.path === span.path
    && only!.span.start === span.start && only!.span.end === span.end && span.end - span.start === sql.length;
  return isWhole ? { sql, span, ignores } : { sql, span, origins, ignores };
}

/** A range after replacements, whose offsets are those of the text; each hole is said. */
function filled(of: Assembled, { start, end }: Range, list: readonly Replacement[], ledger: Ledger): Pick<Statement, 'sql' | 'origins'> {
  const done = replaced(of, list, start, end);
  const earlier = new Set(of.holes.map(({ name }) => name));
  for (const one of done.holes) if (!earlier.has(one.name)) sayHole(one, ledger);
  return { sql: done.text, origins: originsIn(done, 0, done.text.length) };
}

/** A statement of a file after replacements (in offsets of the statement); each hole is said once. */
export function filledStatement({ path, text }: Source, { start, end }: Piece, list: readonly Replacement[], ignores: readonly Ignore[],
  ledger: Ledger): Statement {
  const shifted = list.map(one => ({ ...one, start: one.start + start, end: one.end + start }));
  return { ...filled(whole(path, text), { start, end }, shifted, ledger), span: { path, start, end }, ignores };
}

function sayHole({ name, span }: Assembled['holes'][number], ledger: Ledger): void {
  hole(ledger, span, name, 'give it in the placeholders');
}

/** A name at its place, and its value where there is one; `wrap` is the quote that belongs around it. */
export interface FoundName extends Range {
  readonly name: string;
  readonly value: string | undefined;
  readonly wrap?: string;
}

/** `${name}` and `{{name}}` outside of strings and comments, and anywhere when the name has a value; in order. */
export function looseNames(sql: string, values: Values): readonly FoundName[] {
  const quoted = tokenize(sql).filter(({ kind }) => kind === 'string' || kind === 'lineComment' || kind === 'blockComment');
  let at = 0;
  return [...placeholdersIn(sql), ...placeholdersIn(sql, '{{', '}}')]
    .sort((a, b) => a.start - b.start)
    .map(({ start, end, name }) =>
      ({ start, end, name: sql.slice(start, end), value: valueOf(values, name.replace(/:?[-=?+].*$/, '')) ?? shellDefault(name) }))
    .filter(({ start, value }) => {
      while ((quoted[at]?.end ?? Infinity) <= start) at++;
      return value !== undefined || (quoted[at]?.start ?? Infinity) > start;
    });
}

/** A default in the shell's own way: `${name:-value}`. */
const shellDefault = (name: string): string | undefined => /^\w+:?-([\w.]+)$/.exec(name)?.[1];

/**
 * The statements of a file whose tool replaces placeholders before it cuts (Flyway): names inside strings and comments too.
 * `find` gives the value of a name; undefined makes a hole.
 */
export function templatedStatements(source: Source, marks: { readonly prefix: string; readonly suffix: string }, find: (name: string) =>
  string | undefined, ledger: Ledger): readonly Statement[] {
  if (!source.text.includes(marks.prefix)) return plainStatements(source, ledger);
  ledger.gaps.push(...source.gaps);
  const done = templated(whole(source.path, source.text), marks, find);
  return statementsIn(done, [{ start: 0, end: done.text.length }], undefined, ledger)[0] ?? [];
}

/** A text with its placeholders filled, those inside strings and comments too; names without a value are its holes. */
export function templated(
  of: Assembled, marks: { readonly prefix: string; readonly suffix: string }, find: (name: string) => string | undefined,
): Assembled {
  if (!of.text.includes(marks.prefix)) return of;
  const found = [...placeholdersIn(of.text, marks.prefix, marks.suffix)];
  return replaced(of, replacements(of.text, found.map(({ start, end, name }) =>
    ({ start, end, name: of.text.slice(start, end), value: find(name) }))));
}
