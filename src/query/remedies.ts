import type { Edit, Statement, Taint } from '../model.ts';
import { bracketEnd, isSentAsWritten, nameEnd, sourceSpan } from '../sql/span.ts';
import { tokensOf } from '../sql/tokens.ts';
import type { FuncCall, Node, TypeCast } from '../sql/tree.ts';
import type { Place } from './expression.ts';
import { isUnknown, type Value } from './scope.ts';

type Remedy = NonNullable<Taint['remedy']>;

/** The zone that is proposed: whoever means another one writes it in its place. */
const zone = "'UTC'";
const zoned = ` AT TIME ZONE ${zone}`;

const insert = (statement: Statement, at: number, text: string): Edit => ({ span: sourceSpan(statement, at, at), text });

/** The places of a call's brackets: behind the opening one, and before the closing one. */
function brackets({ sql }: Statement, location: number | undefined): { readonly open: number; readonly close: number } | undefined {
  if (location === undefined) return undefined;
  const open = sql.indexOf('(', nameEnd(sql, location));
  if (open < 0 || sql.slice(nameEnd(sql, location), open).trim() !== '') return undefined;
  const end = bracketEnd(sql, open);
  return sql[end - 1] === ')' ? { open: open + 1, close: end - 1 } : undefined;
}

/** Types that ORDER BY takes: all that are known here have a default btree operator class (pg_opclass). */
const orderable = /^(?:smallint|integer|bigint|numeric|text|character|date|time|timestamp|boolean|uuid|jsonb|inet|interval|double precision|real)\b/;

/** The texts of a call's arguments, as far as its ORDER BY. */
function argumentTexts(sql: string, from: number, to: number): readonly string[] {
  const texts: string[] = [];
  let depth = 0;
  let start = from;
  for (const token of tokensOf(sql, from, to)) {
    const text = sql.slice(token.start, token.end);
    if (token.kind === 'punctuation' && (text === '(' || text === '[')) depth += 1;
    else if (token.kind === 'punctuation' && (text === ')' || text === ']')) depth -= 1;
    else if (depth === 0 && token.kind === 'word' && /^order$/i.test(text)) {
      to = token.start;
      break;
    } else if (depth === 0 && text === ',') {
      texts.push(sql.slice(start, token.start).trim());
      start = token.end;
    }
  }
  return [...texts, sql.slice(start, to).trim()];
}

/** An aggregate that keeps the order of its rows is ordered by what it puts together: then rows that tie are alike. */
export function orderedByItself(node: FuncCall, values: readonly Value[], place: Place): Remedy | undefined {
  const { statement } = place.run;
  const args = node.args ?? [];
  const at = isSentAsWritten(statement) ? brackets(statement, node.location) : undefined;
  if (at === undefined || args.length === 0 || args.some(arg => 'NamedArgExpr' in arg)) return undefined;
  if (args.some((arg, index) => !('A_Const' in arg) && !isOrderable(values[index]))) return undefined;
  const texts = argumentTexts(statement.sql, at.open, at.close);
  if (texts.length !== args.length) return undefined;
  const order = texts.filter((_, index) => !('A_Const' in args[index]!)).join(', ');
  if (order === '') return undefined;
  const text = (node.agg_order ?? []).length > 0 ? `, ${order}` : ` ORDER BY ${order}`;
  return { title: `Order it by what it puts together:${text}`, edits: [insert(statement, at.close, text)] };
}

function isOrderable(value: Value | undefined): boolean {
  return value !== undefined && !isUnknown(value.type) && orderable.test(value.type);
}

const isInstant = (value: Value | undefined): boolean => value !== undefined && !isUnknown(value.type) && value.type.startsWith('timestamp with time zone')
  || value?.type === 'timestamptz';

/** Where a column's name, or a call without more behind it, begins and ends. */
function operandAt(sql: string, node: Node | undefined): { readonly start: number; readonly end: number } | undefined {
  if (node === undefined) return undefined;
  if ('ColumnRef' in node && node.ColumnRef.location !== undefined) return { start: node.ColumnRef.location, end: nameEnd(sql, node.ColumnRef.location) };
  return undefined;
}

/** Functions of an instant that take one without a zone as well, and mean its parts there. */
const readsParts = new Set(['to_char', 'date_part', 'extract']);

/** The zone of a call that takes the session's: date_trunc has an argument for it, others get an instant in a zone. */
export function inZone(node: FuncCall, name: string, values: readonly Value[], place: Place): Remedy | undefined {
  const { statement } = place.run;
  const args = node.args ?? [];
  if (!isSentAsWritten(statement) || args.length !== 2) return undefined;
  const title = `Say the time zone, here ${zone}`;
  if (name === 'date_trunc' && isInstant(values[1])) {
    const at = brackets(statement, node.location);
    return at && { title, edits: [insert(statement, at.close, `, ${zone}`)] };
  }
  const which = values.findIndex(isInstant);
  const operand = readsParts.has(name) && which >= 0 ? operandAt(statement.sql, args[which]) : undefined;
  return operand && { title, edits: [insert(statement, operand.end, zoned)] };
}

const localTypes = /^(?:date|time(?:\(\d\))?(?: without time zone)?|timestamp(?:\(\d\))?(?: without time zone)?)$/;

/** `placed_at::date` in a zone: `(placed_at AT TIME ZONE 'UTC')::date`. */
export function castInZone(node: TypeCast, from: Value, target: string | undefined, place: Place): Remedy | undefined {
  const { statement } = place.run;
  const operand = isSentAsWritten(statement) && isInstant(from) ? operandAt(statement.sql, node.arg) : undefined;
  if (operand === undefined || target === undefined || !localTypes.test(target)) return undefined;
  const isPostfix = statement.sql.slice(operand.end).trimStart().startsWith('::');
  return {
    title: `Say the time zone, here ${zone}`,
    edits: isPostfix ? [insert(statement, operand.start, '('), insert(statement, operand.end, `${zoned})`)] : [insert(statement, operand.end, zoned)],
  };
}
