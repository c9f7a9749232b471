import type { Obstacle } from '../../model.ts';
import { keywords } from '../../sql/keywords.ts';
import type { FuncCall } from '../../sql/tree.ts';
import { isUnknown } from '../scope.ts';
import { partWithoutEquality } from './btree.ts';
import { tableOf, type Block, type Inspected, type RangeEntry, type Target } from './inspected.ts';
import { keyTargets } from './keys.ts';
import { obstacle, type PgIvmHazard } from './pg-ivm-obstacles.ts';
import type { Walked } from './pg-ivm-walk.ts';
import { repeatHazards } from './pg-ivm-repeats.ts';
import { eachPart } from './tree-walk.ts';

/** Hazards that let no write through; the others give other rows than the query. */
export const breaksWrites: ReadonlySet<string> = new Set<PgIvmHazard>([
  'quoted-table-name', 'quoted-column-name', 'virtual-generated-column', 'whole-row-value', 'json-inside-value', 'outer-join-over-cte',
    'outer-join-over-function', 'lateral-in-exists', 'set-returning-column',
]);

/** Hazards that show only with some rows: a sum that happens to come out, an UPDATE that changes no row that is joined. */
export const showsSometimes: ReadonlySet<string> = new Set<PgIvmHazard>(['quoted-column-name', 'floating-point-sum', 'table-read-twice',
  'outer-join-of-one-table', 'outer-join-beside-join', 'set-returning-column']);

/** What is known of the table that pg_ivm makes. */
export interface Shown {
  /** A function that gives several rows gives too many: for one key, or beside an aggregate. */
  readonly multiplies: boolean;
  /** No two rows are the same. */
  readonly hasKey: boolean;
  /** The columns that the call names. */
  readonly names: readonly string[];
}

/** What pg_ivm takes and then does wrong (measured, facts on pg_ivm §1.7, and what the oracle brought to light). */
export function hazards(query: Inspected, walked: Walked, shown: Shown): readonly Obstacle[] {
  return [...sourceHazards(query), ...nameHazards(query, walked, shown.names), ...repeatHazards(query, walked), ...valueHazards(query),
    ...joinHazards(query, walked, shown.hasKey), ...lateralHazards(query, walked), ...callHazards(query, shown.multiplies)];
}


function sourceHazards({ blocks }: Inspected): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const seen = new Set<number>();
  for (const entry of blocks.flatMap(block => block.range)) {
    const table = tableOf(entry);
    if (table === undefined) continue;
    const { name } = table.name;
    // It is the alias that is written where there is one (measured).
    if (needsQuotes(entry.name)) {
      found.push(obstacle('quoted-table-name',
        `pg_ivm writes the name ${entry.name} without its quotes, so that writes to ${name} are refused`, entry.span));
    }
    if (seen.has(table.id)) continue;
    seen.add(table.id);
    const virtual = isUnknown(table.columns) ? undefined : table.columns.find(({ generated }) => generated === 'virtual');
    if (virtual !== undefined) {
      found.push(obstacle('virtual-generated-column',
        `every UPDATE of ${name} is refused, because its column ${virtual.name} is a virtual generated one`, entry.span));
    }
  }
  return found;
}

/** What is no name without quotes even where case does not matter: another character, or a word that no relation can be named by. */
function needsQuotes(name: string): boolean {
  const folded = name.toLowerCase();
  const kind = keywords.get(folded);
  return !/^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/u.test(folded) || kind === 'reserved' || kind === 'type or function name';
}

/**
 * Columns of the IMMV that pg_ivm writes without their quotes: where an outer join stands all of them, beside min and max these and the
 * columns of GROUP BY (measured).
 */
function nameHazards(query: Inspected, { outerJoins }: Walked, names: readonly string[]): readonly Obstacle[] {
  const { targets, aggregates } = query.root;
  const isExtreme = (target: Target): boolean => target.node !== undefined && 'FuncCall' in target.node
    && aggregates.includes(target.node.FuncCall)
    && ['min', 'max'].includes(calledName(query, target.node.FuncCall));
  const hasExtreme = targets.some(isExtreme);
  const keys = hasExtreme ? new Set(keyTargets(query.root, query)) : new Set();
  return targets.flatMap((target, at) => {
    const name = names[at] ?? target.name;
    const isWritten = outerJoins.length > 0 || isExtreme(target) || keys.has(target);
    if (!isWritten || (name === name.toLowerCase() && !needsQuotes(name))) return [];
    return [obstacle('quoted-column-name',
      `pg_ivm writes the name of the column ${name} without its quotes, so that an UPDATE or DELETE is refused`, target.span)];
  });
}

function calledName(query: Inspected, call: FuncCall): string {
  const resolved = query.callOf(call)?.resolved;
  return resolved?.is === 'function' ? resolved.signature.name : '';
}

function valueHazards(query: Inspected): readonly Obstacle[] {
  const found: Obstacle[] = [];
  for (const { node, name, type, span } of query.root.targets) {
    let whole: string | undefined;
    if (node !== undefined) {
      eachPart(node, part => {
        const meaning = 'fields' in part ? query.meaningOf(part) : undefined;
        if (meaning?.is === 'row') whole ??= meaning.entry.name;
      });
    }
    if (whole !== undefined) found.push(obstacle('whole-row-value',
      `the column ${name} holds whole rows of ${whole}, and writes to it are refused`, span));
    // Beside an aggregate only what GROUP BY names is compared, and that can be.
    const inside = type === undefined || query.root.aggregates.length > 0 ? undefined : partWithoutEquality(type, query.types);
    if (inside !== undefined) found.push(obstacle('json-inside-value',
      `the column ${name} holds values of type ${inside}, which cannot be compared, and writes are refused`, span));
  }
  return found;
}

/** Outer joins that pg_ivm does not keep up with: over what is no table, and beside another join where rows can repeat (measured). */
function joinHazards({ root }: Inspected, { outerJoins }: Walked, hasKey: boolean): readonly Obstacle[] {
  const [join] = outerJoins;
  if (join === undefined) return [];
  const isBeside = root.from.length > 1 || root.range.some(entry => entry.join?.kind === 'inner');
  const lost = isBeside && !hasKey
    ? [obstacle('outer-join-beside-join',
      'an outer join stands beside another join, and rows that come several times are kept once when they lose their partner',
      join.entry.span)] : [];
  return [...lost, ...root.range.flatMap(entry => {
    if (entry.kind === 'CTE') return [obstacle('outer-join-over-cte',
      `an outer join stands beside the CTE ${entry.name}, and writes are refused`, entry.span)];
    return entry.kind === 'function' || entry.kind === 'table function'
      ? [obstacle('outer-join-over-function', `an outer join stands beside the function ${entry.name} in FROM, and writes are refused`,
        entry.span)] : [];
  })];
}

/** A LATERAL that uses a row of its neighbours, and reads a table itself. */
function lateralHazards(query: Inspected, { exists }: Walked): readonly Obstacle[] {
  const isLateral = ({ query: inner }: RangeEntry): boolean => {
    let leans = false;
    if (inner === undefined || !inner.range.some(entry => tableOf(entry) !== undefined)) return false;
    eachPart(inner.select, node => {
      const meaning = 'fields' in node ? query.meaningOf(node) : undefined;
      if (meaning !== undefined && meaning.is !== 'unknown' && meaning.entry.block !== inner) leans = true;
    });
    return leans;
  };
  const lateral = (block: Block): readonly RangeEntry[] => block.range.filter(entry => entry.kind === 'sub-select' && entry.lateral
    && isLateral(entry));
  return exists.flatMap(({ block }) => lateral(block).map(entry =>
    obstacle('lateral-in-exists', 'LATERAL stands inside of EXISTS, and writes are refused', entry.span)));
}

function callHazards(query: Inspected, multiplies: boolean): readonly Obstacle[] {
  const found: Obstacle[] = [];
  for (const { node, name, span } of query.root.targets) {
    if (node === undefined) continue;
    eachPart(node, part => {
      const call = 'FuncCall' in part ? (part as { FuncCall: FuncCall }).FuncCall : undefined;
      const resolved = call === undefined ? undefined : query.callOf(call)?.resolved;
      if (resolved?.is !== 'function') return;
      const { signature } = resolved;
      const [argument] = signature.arguments;
      if (multiplies && signature.returnsSet) {
        found.push(obstacle('set-returning-column',
          `the column ${name} gives several rows where pg_ivm keeps one, and writes that do so are refused`, span));
      } else if (signature.kind === 'aggregate' && ['sum', 'avg'].includes(signature.name)
        && (argument?.key === 'float4' || argument?.key === 'float8')) {
        found.push(obstacle('floating-point-sum',
          `the column ${name} adds up floating-point numbers change by change, and drifts away from what the query gives`, span));
      }
    });
  }
  return found;
}
