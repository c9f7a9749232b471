import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { Run, Value } from './scope.ts';
import { typesIn, type SqlType } from './sql-type.ts';

const times = new Set(['date', 'time', 'timetz', 'timestamp', 'timestamptz']);
const ranges: Readonly<Record<string, true>> = { tsrange: true, tstzrange: true, daterange: true, tsmultirange: true, tstzmultirange: true, datemultirange: true };
const word = /^\s*(now|today|tomorrow|yesterday)\b/i;
/** A bound of a range or an element of an array. */
const inside = /[[({,"\s](now|today|tomorrow|yesterday)\b/i;

/**
 * Notes a literal that is read as a date or time when the query is stored: `'now'` is then the moment of CREATE for ever, whether a cast
 * says so or the context does (measured, facts G). `'epoch'` and `'infinity'` are constants by nature.
 */
export function freeze(run: Run, value: Value, target: SqlType | undefined): void {
  if (run.notes === undefined || !value.literal || value.word === undefined || target === undefined) return;
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
