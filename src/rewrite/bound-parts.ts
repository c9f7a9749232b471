/** What of an expression only its query can compute: columns, aggregates, windows. Everything else can as well be computed over the query's result. */
import { builtins, type BuiltinFunction } from '../builtins/builtins.ts';
import { changeClass } from '../query/change-classes.ts';
import { callOrigin } from '../query/determinism.ts';
import { lastName, strings } from '../query/names.ts';
import { plainText } from '../query/parts.ts';
import { callEnd, nameEnd } from '../sql/span.ts';
import type { ColumnRef, FuncCall, Node } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';

export const isStar = ({ fields }: ColumnRef): boolean => fields?.some(field => 'A_Star' in field) === true;

/** A part of an expression that only the query can compute, and what a column of it would be called. */
export interface Part {
  readonly node: Node;
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly name: string | undefined;
}

/** The parts that only the query can compute: columns, aggregates, windows. Undefined when there is one that nobody can tell, or that has a clock in it. */
export function boundParts(sql: string, value: Node, postgres: number): readonly Part[] | undefined {
  const parts: Part[] = [];
  let isPlain = true;
  const add = (node: Node, start: number, end: number, name: string | undefined): void => {
    const key = plainText(node);
    if (key !== undefined) parts.push({ node, key, start, end, name });
    else isPlain = false;
  };
  walk(value, (kind, inner) => {
    if (!isPlain) return false;
    if (kind === 'ColumnRef') {
      const { location, fields } = inner as ColumnRef;
      const name = lastName(fields);
      if (location === undefined || name === undefined || isStar(inner as ColumnRef)) isPlain = false;
      else add({ ColumnRef: inner } as Node, location, nameEnd(sql, location), name);
      return false;
    }
    if (kind !== 'FuncCall') {
      isPlain = !onlyInQueries.has(kind);
      return isPlain;
    }
    const call = inner as FuncCall;
    const kinds = new Set(builtinsOf(call, postgres).map(overload => (overload.returnsSet ? 'set' : overload.kind)));
    if (kinds.size !== 1 || kinds.has('set') || kinds.has('procedure')) isPlain = false;
    else if (call.over !== undefined || kinds.has('aggregate') || kinds.has('window')) {
      if (call.location === undefined || !isSteady(call, postgres)) isPlain = false;
      else add({ FuncCall: call } as Node, call.location, callEnd(sql, call.location), nameFor(call));
      return false;
    }
    return isPlain;
  });
  return isPlain ? parts.sort((a, b) => a.start - b.start) : undefined;
}

/** Kinds of nodes that mean something only where they stand. */
const onlyInQueries = new Set(['SubLink', 'SelectStmt', 'GroupingFunc', 'ParamRef', 'SetToDefault', 'CurrentOfExpr', 'JsonArrayAgg', 'JsonObjectAgg']);

/** The built-in functions of that name. A routine of the history's own, or of an extension, has none. */
function builtinsOf({ funcname }: FuncCall, postgres: number): readonly BuiltinFunction[] {
  const path = strings(funcname);
  return path.length === 1 || path[0] === 'pg_catalog' ? builtins(postgres).functions(path.at(-1) ?? '') : [];
}

/** Whether everything in the call is known not to read the clock: of a name with an overload that does, nothing is. */
function isSteady(call: FuncCall, postgres: number): boolean {
  let steady = true;
  walk({ FuncCall: call }, (kind, inner) => {
    if (kind === 'SQLValueFunction' || onlyInQueries.has(kind)) steady = false;
    else if (kind === 'FuncCall') {
      const all = builtinsOf(inner as FuncCall, postgres);
      if (all.length === 0 || all.some(({ name, arguments: types, volatility }) => volatility === 'volatile' || callOrigin(name, changeClass(name, types))?.cause === 'clock')) steady = false;
    }
    return steady;
  });
  return steady;
}

/** `max(o.placed_at)` is kept as max_placed_at. */
function nameFor(call: FuncCall): string {
  const words = [lastName(call.funcname) ?? ''];
  walk({ FuncCall: call }, (kind, inner) => {
    const name = kind === 'ColumnRef' ? lastName((inner as ColumnRef).fields) : undefined;
    if (name !== undefined && words.length === 1) words.push(name);
  });
  return words.join('_');
}
