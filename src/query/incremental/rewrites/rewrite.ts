import type { Catalog, Eligibility, Engine, Obstacle, Query } from '../../../model.ts';
import { quoteIdent } from '../../../sql/print.ts';
import { eligibilityOf } from '../eligibility.ts';
import { look, plainStatement, rewrittenPath, type Draft, type Look } from './draft.ts';
import { dropOrder, isMoreThanAggregate, liftConjunct, liftHaving, liftLimit, liftTargets } from './lifts.ts';
import {
  addCount, addTargets, distinctToExtreme, filterToCase, inlineView, inToExists, nameZone, numberDuplicates, sumNumeric, toBucket, zoneOf,
} from './replacements.ts';

/** A rewriting of a query that an engine takes, tried in memory. */
export interface Rewriting {
  /** What was done, in order. */
  readonly steps: readonly string[];
  /** The query to be maintained. */
  readonly sql: string;
  /**
   * The query of the plain view that gives readers the columns and rows they had, over a relation called `base`; absent where none is
   * needed.
   */
  readonly onTop?: (base: string) => string;
  /** What the engine says of the rewritten query. */
  readonly eligibility: Eligibility;
}

type Cure = (view: Look, obstacle: Obstacle) => readonly [title: string, draft: Draft | undefined];

const covers = ({ evidence }: Obstacle) => (start: number, end: number): boolean => {
  const { span } = evidence.at(-1)!;
  return span.path === rewrittenPath && start <= span.start && span.end <= end;
};

/** The clock, settings and conversions: name the zone, else let the readers compute it. */
const calm: readonly Cure[] = [
  view => [`name the time zone (${zoneOf(view)}; put yours) so that the conversion is immutable`, nameZone(view)],
  (view, obstacle) => ['move the condition into a view on top, which is read when it is asked', liftConjunct(view, covers(obstacle))],
  (view, obstacle) => ['compute the column in a view on top', liftTargets(view, ({ span }) => covers(obstacle)(span.start, span.end))],
];
const onTop: Cure = view => ['compute the expressions over aggregates and the window functions in a view on top', liftTargets(view,
  target => isMoreThanAggregate(view, target))];
const limit: Cure = view => ['move ORDER BY and LIMIT into a view on top', liftLimit(view)];
const add: Cure = (view, { code }) => ['put the columns that are asked for into the select list',
  addTargets(view, placesOf(view, code))];

/** What may cure an obstacle, the milder first. */
const cures: Readonly<Record<Engine, Readonly<Record<string, readonly Cure[]>>>> = {
  pg_ivm: {
    'mutable-function': calm, having: [view => ['move HAVING into a view on top', liftHaving(view)]],
    'order-by': [limitOrDrop()], limit: [limit],
    'aggregate-in-expression': [onTop], 'window-function': [onTop], view: [view => ['put the query of the view in its place',
      inlineView(view)]],
    'distinct-on': [view => ['take the greatest or least value of each group', distinctToExtreme(view)]],
    'group-by-without-aggregate': [view => ['count the rows of each group, so that it has an aggregate', addCount(view)]],
    'group-key-not-selected': [add], 'exists-column-not-selected': [add], 'outer-join-column-not-selected': [add],
    'aggregate-filter': [view => ['write FILTER as CASE inside of the aggregate', filterToCase(view)]],
    'subquery-expression': [view => ['write IN (SELECT …) as EXISTS', inToExists(view)]],
    'duplicate-column': [view => ['give every column a name of its own', numberDuplicates(view)]],
    'outer-join-non-strict': [(view, obstacle) => ['compute the column in a view on top', liftTargets(view,
      ({ span }) => covers(obstacle)(span.start, span.end))]],
    'floating-point-sum': [view => ['sum numeric instead of floating-point numbers', sumNumeric(view)]],
  },
  pg_trickle: {
    'stable-expression': calm, 'volatile-expression': calm.slice(1), 'duplicate-column': [view => ['give every column a name of its own',
      numberDuplicates(view)]],
    'limit-without-order-by': [limit],
  },
  timescaledb: {
    'no-time-bucket': [view => ['group by time_bucket()', toBucket(view)]], 'mutable-function': [view => ['group by time_bucket()',
      toBucket(view)], ...calm.slice(1)],
    limit: [limit], window: [onTop],
  },
};

/** ORDER BY alone goes; before a LIMIT it moves with it, and before DISTINCT ON it decides. */
function limitOrDrop(): Cure {
  return view => {
    const { limitCount, limitOffset, distinctClause = [] } = view.made.root.select;
    if (distinctClause.some(item => Object.keys(item).length > 0)) return ['take the greatest or least value of each group',
      distinctToExtreme(view)];
    return limitCount === undefined && limitOffset === undefined
      ? ['drop ORDER BY: rows of a table have no order, so sort where they are read', dropOrder(view)] : limit(view, undefined as never);
  };
}

/** The expressions that an obstacle of this kind speaks of, anywhere in the query. */
function placesOf(view: Look, code: string): readonly { readonly start: number; readonly end: number }[] {
  const { obstacles } = eligibilityOf(plainStatement(view.sql), 'pg_ivm', view.catalog);
  return obstacles.filter(one => one.code === code).map(({ evidence }) => evidence.at(-1)!.span);
}

const mostSteps = 12;
/** Texts longer than this are not rewritten: every step reads the query anew, and nobody would read what came out. */
const longestText = 20_000;

/** What is left to cure: obstacles, then what the engine takes and does wrong. AUTO's reasons for FULL are obstacles too. */
const leftOf = ({ obstacles, hazards }: Eligibility, engine: Engine): readonly Obstacle[] => [...obstacles,
  ...hazards.filter(({ code }) => Object.hasOwn(cures[engine], code))];

/** Whether nothing stands in the way any more: the engine takes it, and pg_trickle works with changes. */
export const isGood = (answer: Eligibility): boolean => answer.is === 'eligible' && answer.obstacles.length === 0;

/**
 * Rewrites a query until an engine takes it, obstacle by obstacle; undefined where one of them has no cure here. The catalog's session
 * has to find
 * names as the query's did. Every step is tried in memory: what comes out is a query that mvlint has judged anew.
 */
export function rewritten(query: Query, engine: Engine, catalog: Catalog): Rewriting | undefined {
  let draft: Draft = { sql: query.statement.sql.slice(query.start, query.end).trim() };
  if (draft.sql.length > longestText) return undefined;
  const steps: string[] = [];
  let answer = eligibilityOf(plainStatement(draft.sql), engine, catalog);
  for (let step = 0; step < mostSteps; step += 1) {
    const [first] = leftOf(answer, engine);
    if (first === undefined || answer.is === 'unknown') break;
    const view = look(draft, catalog);
    const tried = view === undefined ? undefined : firstCure(view, first, engine);
    if (tried === undefined) break;
    const next = eligibilityOf(plainStatement(tried.draft.sql), engine, catalog);
    steps.push(tried.title);
    draft = tried.draft;
    answer = next;
  }
  if (steps.length === 0 || !isGood(answer)) return undefined;
  const { top, sql } = draft;
  return { steps: [...new Set(steps)], sql: sql.trim(), eligibility: answer, ...(top === undefined ? {} : { onTop: base => topText(top,
    base) }) };
}

/** The first cure that changes the query and leaves the obstacle behind at that place. */
function firstCure(view: Look, obstacle: Obstacle, engine: Engine): { readonly title: string; readonly draft: Draft } | undefined {
  const list = Object.hasOwn(cures[engine], obstacle.code) ? cures[engine][obstacle.code] ?? [] : [];
  for (const cure of list) {
    const [title, draft] = cure(view, obstacle);
    if (draft === undefined || draft.sql === view.sql) continue;
    const after = eligibilityOf(plainStatement(draft.sql), engine, view.catalog);
    const count = (answer: Eligibility): number => leftOf(answer, engine).filter(({ code }) => code === obstacle.code).length;
    if (after.is !== 'unknown' && count(after) < count(eligibilityOf(plainStatement(view.sql), engine, view.catalog))) return { title,
      draft };
  }
  return undefined;
}

function topText({ outputs, where, tail }: NonNullable<Draft['top']>, base: string): string {
  const list = outputs.map(({ name, text }) => (text === quoteIdent(name) ? text : `${text} AS ${quoteIdent(name)}`)).join(', ');
  const condition = where.length === 0 ? '' : ` WHERE ${where.map(one => (where.length > 1 ? `(${one})` : one)).join(' AND ')}`;
  return `SELECT ${list} FROM ${base}${condition}${tail === '' ? '' : ` ${tail}`}`;
}
