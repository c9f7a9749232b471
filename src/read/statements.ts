import type { Ignore, Statement } from '../model.ts';
import { split } from '../sql/split.ts';
import type { Piece } from '../sql/split.ts';
import { tokenize } from '../sql/tokens.ts';
import { fill, originalOffset, originsOf, placeholdersIn, replacements } from './fill.ts';
import type { Replacement } from './fill.ts';
import { ignoresOf } from './ignores.ts';
import { hole } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { Source } from './text.ts';

/** Values by name; a name that is not there is a hole. */
export type Values = Readonly<Record<string, string>>;

const noIgnores: readonly Ignore[] = [];
export const valueOf = (values: Values, name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);

/** The statements of a file in which nothing is replaced. */
export const plainStatements = (source: Source, ledger: Ledger): readonly Statement[] =>
  cut(source, ledger, (piece, ignores) => plainStatement(source, piece, ignores));

/**
 * The statements of a file that a tool sends as it stands. `${name}` is no syntax of such a tool, but wrappers (envsubst) use it: outside
 * of
 * strings it is filled from `values` or becomes a hole, inside of strings it is text unless `values` knows it.
 */
export const looseStatements = (source: Source, values: Values, ledger: Ledger): readonly Statement[] =>
  cut(source, ledger, (piece, ignores) => looseStatement(source, piece, values, ignores, ledger));

function cut(source: Source, ledger: Ledger, build: (piece: Piece, ignores: readonly Ignore[]) => Statement): readonly Statement[] {
  ledger.gaps.push(...source.gaps);
  if (source.text === '') return [];
  const pieces = split(source.text);
  const ignores = ignoresOf(source.text, pieces, { path: source.path, at: offset => offset }, ledger);
  const statements: Statement[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    if (piece?.kind === 'statement') statements.push(build(piece, ignores.get(i) ?? noIgnores));
  }
  return statements;
}

function plainStatement({ path, text }: Source, { start, end }: Piece, ignores: readonly Ignore[]): Statement {
  const span = { path, start, end };
  return { sql: text.slice(start, end), span, origins: [{ start: 0, end: end - start, span }], ignores };
}

/** One statement of a text, its `${name}` filled. */
export function looseStatement(source: Source, piece: Piece, values: Values, ignores: readonly Ignore[], ledger: Ledger): Statement {
  const sql = source.text.slice(piece.start, piece.end);
  if (!sql.includes('${') && !sql.includes('{{')) return plainStatement(source, piece, ignores);
  return filledStatement(source, piece, replacements(sql, looseNames(sql, values)), ignores, ledger);
}

/** A statement after replacements (in offsets of the statement); each hole is said once. */
export function filledStatement({ path, text }: Source, { start, end }: Piece, list: readonly Replacement[], ignores: readonly Ignore[],
  ledger: Ledger): Statement {
  const shifted = list.map(one => ({ ...one, start: one.start + start, end: one.end + start }));
  for (const one of shifted) sayHole(one, path, ledger);
  const filled = fill(text, start, end, shifted);
  return { sql: filled.text, span: { path, start, end }, origins: originsOf(filled, path, 0, filled.text.length), ignores };
}

function sayHole(one: Replacement, path: string, ledger: Ledger): void {
  if (one.hole !== undefined) hole(ledger, { path, start: one.start, end: one.end }, one.hole, 'give it in the placeholders');
}

export interface FoundName { readonly start: number; readonly end: number; readonly name: string; readonly value: string | undefined; readonly wrap?: string }

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
  const { path, text } = source;
  if (!text.includes(marks.prefix)) return plainStatements(source, ledger);
  ledger.gaps.push(...source.gaps);
  const list = replacements(text, [...placeholdersIn(text, marks.prefix, marks.suffix)]
    .map(({ start, end, name }) => ({ start, end, name: text.slice(start, end), value: find(name) })));
  const filled = fill(text, 0, text.length, list);
  const pieces = split(filled.text);
  const ignores = ignoresOf(filled.text, pieces, { path, at: (offset, isEnd) => originalOffset(filled, offset, isEnd) }, ledger);
  const statements: Statement[] = [];
  let said = 0;
  for (const [index, { kind, start, end }] of pieces.entries()) {
    if (kind !== 'statement') continue;
    const span = { path, start: originalOffset(filled, start, false), end: originalOffset(filled, end, true) };
    for (let one = list[said]; one !== undefined && one.start < span.end; one = list[++said]) {
      if (one.end > span.start) sayHole(one, path, ledger);
    }
    statements.push({ sql: filled.text.slice(start, end), span, origins: originsOf(filled, path, start, end), ignores: ignores.get(index)
      ?? noIgnores });
  }
  return statements;
}
