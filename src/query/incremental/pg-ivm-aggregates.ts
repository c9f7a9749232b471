import type { Obstacle } from '../../model.ts';
import type { FuncCall } from '../../sql/tree.ts';
import type { Inspected } from './inspected.ts';
import { notSupported, obstacle, type PgIvmCode } from './pg-ivm-obstacles.ts';

/**
 * The aggregates that pg_ivm 1.16 maintains, by name and the key of their argument: check_aggregate_supports_ivm goes by OID, so that only
 * these overloads pass (measured, facts on pg_ivm §1.3). Polymorphic ones stand by their declared type.
 */
const maintained: Readonly<Record<string, readonly string[]>> = {
  count: ['', 'any'],
  sum: ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money', 'interval'],
  avg: ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'interval'],
};
const extremes = [
  'anyarray', 'int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'date', 'time', 'timetz', 'money', 'timestamp', 'timestamptz', 'interval',
    'text', 'numeric',
  'bpchar', 'tid', 'anyenum', 'inet', 'pg_lsn',
];

/** Whether pg_ivm maintains a built-in aggregate over arguments of these types. */
export function isMaintained(name: string, args: readonly string[]): boolean {
  if (args.length > 1) return false;
  const overloads = name === 'min' || name === 'max' ? extremes : Object.hasOwn(maintained, name) ? maintained[name]! : [];
  return overloads.includes(args[0] ?? '');
}

/** What pg_ivm has against a call of an aggregate: FILTER, DISTINCT, ORDER BY, then the function itself. */
export function aggregateObstacle(call: FuncCall, query: Inspected): Obstacle | undefined {
  const resolved = query.callOf(call)?.resolved;
  if (resolved?.is !== 'function') return undefined;
  const { signature } = resolved;
  const span = query.spanOf(call);
  const made = (code: PgIvmCode, what: string, says: string): Obstacle => obstacle(code, says, span, { message: notSupported(what) });
  if (call.agg_filter !== undefined) return made('aggregate-filter', 'aggregate function with FILTER clause',
    `FILTER stands at ${signature.name}()`);
  if (call.agg_distinct === true) return made('aggregate-distinct', 'aggregate function with DISTINCT arguments',
    `DISTINCT stands inside of ${signature.name}()`);
  if (call.agg_order !== undefined) return made('aggregate-order', 'aggregate function with ORDER clause',
    `${signature.name}() orders its input`);
  if (signature.routine === undefined && isMaintained(signature.name, signature.arguments.map(type => type.key))) return undefined;
  const args = signature.arguments.map(type => type.printed).join(',');
  return made('aggregate-function', `aggregate function ${signature.name}(${args})`, `pg_ivm does not maintain ${signature.name}(${args})`);
}
