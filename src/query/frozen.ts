import { readRegclass } from '../sql/names.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { Run, Value } from './scope.ts';
import { typesIn, type SqlType } from './sql-type.ts';

const times = new Set(['date', 'time', 'timetz', 'timestamp', 'timestamptz']);
const ranges: Readonly<Record<string, true>> = { tsrange: true, tstzrange: true, daterange: true, tsmultirange: true, tstzmultirange: true, datemultirange: true };
const word = /^\s*(now|today|tomorrow|yesterday)\b/i;
/** A bound of a range or an element of an array. */
const inside = /[[({,"\s](now|today|tomorrow|yesterday)\b/i;

/** A constant whose type its context or a cast has settled. */
export function settle(run: Run, value: Value, target: SqlType | undefined): void {
  if (!value.literal || target === undefined) return;
  hold(run, value, target);
  freeze(run, value, target);
}

/** What the constant keeps alive: a type of the history, the relation that a regclass is (find_expr_references in dependency.c; measured by the agreement). */
function hold(run: Run, { word }: Value, target: SqlType): void {
  const type = target.id ?? target.element?.id;
  if (type !== undefined) run.held.add(type);
  const name = target.key === 'regclass' && word !== undefined ? readRegclass(word.text) : undefined;
  const found = name && run.relation(name, run.statement.span);
  if (found?.is === 'present') run.held.add(found.object.id);
}

/**
 * Notes a literal that is read as a date or time when the query is stored: `'now'` is then the moment of CREATE for ever, whether a cast
 * says so or the context does (measured, facts G). `'epoch'` and `'infinity'` are constants by nature.
 */
function freeze(run: Run, value: Value, target: SqlType): void {
  if (run.notes === undefined || value.word === undefined) return;
  const types = typesIn(run.catalog);
  const base = types.baseOf(target);
  const element = base.element === undefined ? undefined : types.baseOf(base.element);
  const isOne = times.has(base.key) && word.test(value.word.text);
  const isPart = (ranges[base.key] === true || (element !== undefined && times.has(element.key))) && inside.test(value.word.text);
  if (!isOne && !isPart) return;
  const { start, text } = value.word;
  const span = sourceSpan(run.statement, start, literalEnd(run.statement.sql, start));
  if (run.notes.frozen.some(known => known.span.start === span.start && known.span.path === span.path)) return;
  run.notes.frozen.push({ span, text: text.trim(), type: base.printed });
}

/** The literal alone, without the `::type` that nodeEnd takes for its own. */
function literalEnd(sql: string, start: number): number {
  const end = nodeEnd(sql, start);
  const cast = sql.slice(start, end).indexOf('::');
  return cast < 0 ? end : start + cast;
}
