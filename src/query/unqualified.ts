import { builtins, majors } from '../builtins/builtins.ts';
import type { Catalog, Evidence, Routine, Span } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { pieceText, piecesOf, readPlpgsql } from '../sql/plpgsql.ts';
import { nameEnd, sourceSpan } from '../sql/span.ts';
import { split } from '../sql/split.ts';
import { joinTexts, plainText, sliceText, textStatement, type Text } from '../sql/text.ts';
import type { FuncCall, RangeVar } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { strings } from './names.ts';
import { bodyText } from './routine-body.ts';

/** A name in a string body that only the search_path of whoever runs it can find. */
export interface UnqualifiedName {
  readonly is: 'relation' | 'routine';
  readonly name: string;
  readonly span: Span;
  /** The routine whose body holds it, and the calls that lead there from the routine that was asked about. */
  readonly routine: Routine;
  readonly through: readonly Evidence[];
}

/** Calls nested deeper than this are not followed. */
const deepest = 16;

/**
 * The first name that a routine of the history needs the caller's search_path for: a relation or a routine of the history, written without its
 * schema, in a string body without SET search_path, its own or one it calls. RETURN and BEGIN ATOMIC bodies were bound at CREATE and need none
 * (measured, facts F). Names that the history does not show, EXECUTE and what `to_regclass('…')` looks up are left out. Undefined when there is none.
 */
export function unqualifiedIn(routine: Routine, catalog: Catalog): UnqualifiedName | undefined {
  return search(routine, catalog, [], new Set());
}

function search(routine: Routine, catalog: Catalog, through: readonly Evidence[], seen: Set<number>): UnqualifiedName | undefined {
  if (seen.has(routine.id) || seen.size > deepest || routine.settings.has('search_path')) return undefined;
  seen.add(routine.id);
  const text = bodyText(routine);
  if (text === undefined) return undefined;
  const inner: { readonly routine: Routine; readonly call: Evidence }[] = [];
  for (const part of partsOf(routine, text)) {
    const found = inPart(part, routine, catalog, through, inner);
    if (found !== undefined) return found;
  }
  for (const { routine: callee, call } of inner) {
    const found = search(callee, catalog, [...through, call], seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The statements and expressions of a body, as SQL. */
function partsOf(routine: Routine, text: Text): readonly Text[] {
  if (routine.language === 'sql')
    return split(text.text).flatMap(piece => (piece.kind === 'statement' ? [sliceText(text, piece.start, piece.end)] : []));
  if (routine.language !== 'plpgsql') return [];
  const read = readPlpgsql(routine.statement.sql, text.text);
  if (!read.ok) return [];
  return [...piecesOf(read.body)].map(({ piece, expression }) =>
    (expression ? joinTexts([plainText('SELECT '), pieceText(text, piece)]) : pieceText(text, piece)));
}

function inPart(
  part: Text, routine: Routine, catalog: Catalog, through: readonly Evidence[], inner: { routine: Routine; call: Evidence }[],
): UnqualifiedName | undefined {
  const statement = textStatement(part, routine.statement.span);
  const parsed = parse(statement.sql);
  if (!parsed.ok) return undefined;
  const defined = new Set<string>();
  const relations: RangeVar[] = [];
  const calls: FuncCall[] = [];
  walk(parsed.node, (kind, node) => {
    if (kind === 'CommonTableExpr') defined.add((node as { ctename?: string }).ctename ?? '');
    else if (kind === 'RangeVar') relations.push(node as RangeVar);
    else if (kind === 'FuncCall') calls.push(node as FuncCall);
  });
  const spanOf = (location: number | undefined): Span =>
    (location === undefined ? statement.span : sourceSpan(statement, location, nameEnd(statement.sql, location)));
  const result = (is: UnqualifiedName['is'], name: string, location: number | undefined): UnqualifiedName =>
    ({ is, name, span: spanOf(location), routine, through });
  for (const { schemaname, relname = '', location } of relations) {
    if (schemaname !== undefined || defined.has(relname)) continue;
    const found = catalog.find({ name: relname });
    if (found.is === 'present' && found.object.name.schema !== 'pg_temp') return result('relation', relname, location);
  }
  for (const { funcname, location } of calls) {
    const [name = '', schema] = strings(funcname).reverse();
    const mine = catalog.findRoutines(schema === undefined ? { name } : { schema, name });
    const [callee] = mine;
    if (callee === undefined) continue;
    if (schema === undefined) {
      // What pg_catalog calls the same may be meant.
      if (builtins(catalog.postgres ?? majors.at(-1)!).functions(name).length === 0) return result('routine', name, location);
    } else if (mine.length === 1) inner.push({ routine: callee, call: { span: spanOf(location), says: `${name}() is called here` } });
  }
  return undefined;
}
