import type { Obstacle, Table } from '../../model.ts';
import { keywords } from '../../sql/keywords.ts';
import type { FuncCall } from '../../sql/tree.ts';
import { isUnknown } from '../scope.ts';
import { partWithoutEquality } from './btree.ts';
import type { Block, Inspected, RangeEntry } from './inspected.ts';
import { obstacle, type PgIvmHazard } from './pg-ivm-obstacles.ts';
import type { Walked } from './pg-ivm-walk.ts';
import { eachPart } from './tree-walk.ts';

/** Hazards that let no write through; the others give other rows than the query. */
export const breaksWrites: ReadonlySet<string> = new Set<PgIvmHazard>([
  'quoted-table-name', 'virtual-generated-column', 'whole-row-value', 'json-inside-value', 'outer-join-over-cte', 'outer-join-over-function', 'lateral-in-exists', 'set-returning-column',
]);

/** What pg_ivm takes and then does wrong (measured, facts on pg_ivm §1.7). `indexed`: it makes a unique index over keys of tables. */
export function hazards(query: Inspected, walked: Walked, indexed: boolean): readonly Obstacle[] {
  return [...sourceHazards(query), ...valueHazards(query), ...joinHazards(query, walked), ...lateralHazards(query, walked), ...callHazards(query, indexed)];
}

const tableOf = ({ relation }: RangeEntry): Table | undefined => (relation?.kind === 'table' ? relation : undefined);

function sourceHazards({ blocks }: Inspected): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const seen = new Set<number>();
  for (const entry of blocks.flatMap(block => block.range)) {
    const table = tableOf(entry);
    if (table === undefined || seen.has(table.id)) continue;
    seen.add(table.id);
    const { name } = table.name;
    if (needsQuotes(name)) {
      found.push(obstacle('quoted-table-name', `pg_ivm writes the name ${name} without its quotes, so that every INSERT and DELETE on it is refused`, entry.span));
    }
    const virtual = isUnknown(table.columns) ? undefined : table.columns.find(({ generated }) => generated === 'virtual');
    if (virtual !== undefined) {
      found.push(obstacle('virtual-generated-column', `every UPDATE of ${name} is refused, because its column ${virtual.name} is a virtual generated one`, entry.span));
    }
  }
  return found;
}

/** What is no name without quotes even where case does not matter: another character, or a reserved word. */
function needsQuotes(name: string): boolean {
  const folded = name.toLowerCase();
  return !/^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/u.test(folded) || keywords.get(folded) === 'reserved';
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
    if (whole !== undefined) found.push(obstacle('whole-row-value', `the column ${name} holds whole rows of ${whole}, and writes to it are refused`, span));
    const inside = type === undefined ? undefined : partWithoutEquality(type, query.types);
    if (inside !== undefined) found.push(obstacle('json-inside-value', `the column ${name} holds values of type ${inside}, which cannot be compared, and writes are refused`, span));
  }
  return found;
}

function joinHazards({ root }: Inspected, { outerJoins }: Walked): readonly Obstacle[] {
  const [join] = outerJoins;
  if (join === undefined) return [];
  return root.range.flatMap(entry => {
    if (entry.kind === 'CTE') return [obstacle('outer-join-over-cte', `an outer join stands beside the CTE ${entry.name}, and writes are refused`, entry.span)];
    return entry.kind === 'function' || entry.kind === 'table function'
      ? [obstacle('outer-join-over-function', `an outer join stands beside the function ${entry.name} in FROM, and writes are refused`, entry.span)] : [];
  });
}

function lateralHazards(_: Inspected, { exists }: Walked): readonly Obstacle[] {
  const lateral = (block: Block): readonly RangeEntry[] => block.range.filter(entry => entry.kind === 'sub-select' && entry.lateral);
  return exists.flatMap(({ block }) => lateral(block).map(entry =>
    obstacle('lateral-in-exists', 'LATERAL stands inside of EXISTS, and writes are refused', entry.span)));
}

function callHazards(query: Inspected, indexed: boolean): readonly Obstacle[] {
  const found: Obstacle[] = [];
  for (const { node, name, span } of query.root.targets) {
    if (node === undefined) continue;
    eachPart(node, part => {
      const call = 'FuncCall' in part ? (part as { FuncCall: FuncCall }).FuncCall : undefined;
      const resolved = call === undefined ? undefined : query.callOf(call)?.resolved;
      if (resolved?.is !== 'function') return;
      const { signature } = resolved;
      const [argument] = signature.arguments;
      if (indexed && signature.returnsSet) {
        found.push(obstacle('set-returning-column', `the column ${name} gives several rows for one key, and the unique index of pg_ivm refuses them`, span));
      } else if (signature.kind === 'aggregate' && ['sum', 'avg'].includes(signature.name) && (argument?.key === 'float4' || argument?.key === 'float8')) {
        found.push(obstacle('floating-point-sum', `the column ${name} adds up floating-point numbers change by change, and drifts away from what the query gives`, span));
      }
    });
  }
  return found;
}
