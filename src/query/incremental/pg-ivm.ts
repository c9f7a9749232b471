import type { Catalog, Eligibility, Obstacle, Table } from '../../model.ts';
import { isUnknown } from '../scope.ts';
import { inspect, isMutable, isNoQuery, type NoQuery } from './inspect.ts';
import type { Inspected, Missing, Subject } from './inspected.ts';
import { conditionObstacles } from './pg-ivm-conditions.ts';
import { analysisObstacles, hiddenColumns, rewriteObstacles, tableObstacles } from './pg-ivm-creation.ts';
import { hazards } from './pg-ivm-hazards.ts';
import { indexPositions } from './pg-ivm-index.ts';
import { notSupported, obstacle, type PgIvmCode } from './pg-ivm-obstacles.ts';
import { walkQuery } from './pg-ivm-walk.ts';

export interface PgIvmOptions {
  /** The columns that the call names: `create_immv('v(a, b)', …)`. */
  readonly columns?: readonly string[];
}

/**
 * What pg_ivm 1.16 says to a query (`pgivm.create_immv`), as measured on the extension: its checks in its own order, all of them, so that
 * the first obstacle is the one that it reports. A text is read as the extension would read it now; a view by what it was bound to. Where a
 * fact is missing and nothing is against the query, the answer is `unknown`. Never throws.
 */
export function pgIvmEligibility(subject: Subject, catalog: Catalog, options: PgIvmOptions = {}): Eligibility {
  const made = inspect(subject, catalog);
  if (isNoQuery(made)) return noQuery(made);
  const names = options.columns ?? ('query' in subject ? subject.query.names : []);
  return judged(made, catalog, names);
}

function noQuery({ because, span }: NoQuery): Eligibility {
  const isQuery = because !== 'it is no SELECT';
  const one = obstacle(isQuery ? 'not-one-query' : 'not-a-select', isQuery ? `it is not one query: ${because}` : 'it is no SELECT', span,
    { message: isQuery ? 'invalid view definition' : 'view definition must specify SELECT statement' });
  return { engine: 'pg_ivm', is: 'refused', obstacles: [one], hazards: [] };
}

/** Checks that only hold where everything of the query is known. */
const needsAll: ReadonlySet<string> = new Set<PgIvmCode>(['group-by-without-aggregate', 'no-columns']);

function judged(query: Inspected, catalog: Catalog, names: readonly string[]): Eligibility {
  const hasHeirs = (table: Table): boolean => catalog.dependants(table.id).some(({ dependent }) => {
    const object = catalog.get(dependent);
    return object?.kind === 'table' && object.inherits.includes(table.id);
  });
  const missing = missingOf(query);
  const walked = walkQuery(query, hasHeirs);
  const isWhole = missing.length === 0;
  const shape = walked.obstacles.filter(({ code }) => isWhole || !needsAll.has(code));
  const later = isWhole ? [
    ...conditionObstacles(query, walked), ...rewriteObstacles(query, walked), ...tableObstacles(query, walked, names),
  ] : [];
  const obstacles = distinct([...analysisObstacles(query), ...mutableObstacles(query, catalog), ...shape, ...later, ...sequences(query)]);
  const positions = indexPositions(query, walked.exists.length > 0);
  // Rows of a set share their group or key, or are more than the one that an aggregate has.
  const keyed = query.root.aggregates.length > 0 || (positions.length > 0 && query.root.select.distinctClause === undefined);
  const shown = { multiplies: keyed, hasKey: positions.length > 0, names };
  const found = { engine: 'pg_ivm' as const, obstacles, hazards: distinct(hazards(query, walked, shown)) };
  if (obstacles.length > 0) return { ...found, is: 'refused' };
  const [first] = missing;
  if (first !== undefined) return { ...found, is: 'unknown', because: first.what };
  return { ...found, is: 'eligible', index: indexNames(query, positions, names, walked.exists.length) };
}

function indexNames(query: Inspected, positions: readonly number[], names: readonly string[], exists: number): readonly string[] {
  const listed = positions.map(at => names[at] ?? query.root.targets[at]!.name);
  const isDistinct = query.root.select.distinctClause !== undefined && query.root.aggregates.length === 0;
  // A DISTINCT is keyed by the hidden counters of EXISTS too.
  return isDistinct ? [...listed, ...hiddenColumns(query, names, exists).filter(name => name.startsWith('__ivm_exists_'))] : listed;
}

/** What is not known and would decide: relations, functions, types, and how stable what is called is. */
function missingOf(query: Inspected): readonly Missing[] {
  const unsure = query.uses.flatMap(({ volatility, span, kind }): readonly Missing[] =>
    (isUnknown(volatility) && kind !== 'unresolved' ? [{ what: volatility.unknown, span }] : []));
  return [...query.missing, ...unsure];
}

/** contain_mutable_functions over the whole query, before any look at its shape. A routine of the history is shown where it is made. */
function mutableObstacles(query: Inspected, catalog: Catalog): readonly Obstacle[] {
  return query.uses.filter(use => isMutable(use) === true).map(({ says, span, routine, volatility }) => {
    const made = routine === undefined ? undefined : catalog.get(routine);
    const before = made?.kind === 'routine' && typeof volatility === 'string'
      ? [{ span: made.statement.span, says: `${made.name.name}() is ${volatility}` }] : [];
    return obstacle('mutable-function', `${says} is not immutable`, span,
      { message: notSupported('mutable function'), hint: 'functions must be marked IMMUTABLE', before });
  });
}

/** A sequence passes all checks, and then takes no trigger. */
function sequences(query: Inspected): readonly Obstacle[] {
  return query.blocks.flatMap(block => block.range).filter(({ relation }) => relation?.kind === 'sequence')
    .map(({ relation, span }) => obstacle('sequence-source', `${relation!.name.name} is a sequence`, span,
      { message: `relation "${relation!.name.name}" cannot have triggers` }));
}

/** One obstacle a code and place. */
function distinct(list: readonly Obstacle[]): readonly Obstacle[] {
  const seen = new Set<string>();
  return list.filter(({ code, evidence }) => {
    const { span } = evidence.at(-1)!;
    const key = `${code} ${span.path} ${span.start} ${span.end}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
