/** What each engine of incremental maintenance says of each view at the end of a history, and the rewriting that would help. Plain data. */
import type { Catalog, Eligibility, Engine, Evidence, History, Matview, Name, Obstacle, Query, Span, Table, View,
  WrittenName } from '../model.ts';
import { replay, type ReplayOptions } from '../catalog/replay.ts';
import { Store } from '../catalog/store.ts';
import { eligibilityOf, engines, maintainedQuery, modeOf } from '../query/incremental/eligibility.ts';
import { isGood, rewritten } from '../query/incremental/rewrites/rewrite.ts';
import { qualified, quote } from '../rule/words.ts';
import { quoteLiteral } from '../sql/print.ts';

/** One reason, with its places. */
export interface ShownObstacle {
  readonly code: string;
  readonly says: string;
  /** The engine's own words. */
  readonly message: string | null;
  readonly hint: string | null;
  readonly at: Span;
  readonly evidence: readonly Evidence[];
}

/** A rewriting that was tried in memory: the engine takes it. */
export interface ShownRewriting {
  readonly steps: readonly string[];
  /** The query to be maintained. */
  readonly query: string;
  /** The query of the plain view on top, over what is maintained; `null` where none is needed. */
  readonly onTop: string | null;
  /** Statements that make both. */
  readonly statements: readonly string[];
  /** What the engine says of it: the mode, where it knows modes. */
  readonly mode: string | null;
  /** What it takes and then does wrong, still. */
  readonly hazards: readonly ShownObstacle[];
}

export interface EngineAnswer {
  readonly engine: Engine;
  readonly is: 'eligible' | 'refused' | 'unknown';
  /** `differential`, `full`, `topk`, `immediate` of pg_trickle. */
  readonly mode: string | null;
  /** The missing fact, where it is not known. */
  readonly because: string | null;
  /** The one that the engine meets first is the first. */
  readonly obstacles: readonly ShownObstacle[];
  readonly hazards: readonly ShownObstacle[];
  /** The columns of the unique index that the engine makes by itself. */
  readonly index: readonly string[] | null;
  readonly rewriting: ShownRewriting | null;
}

export type ViewKind = 'view' | 'materialized view' | 'IMMV' | 'stream table' | 'continuous aggregate';

export interface ViewAnswers {
  readonly history: string;
  readonly name: string;
  readonly kind: ViewKind;
  readonly madeAt: Span | null;
  readonly engines: readonly EngineAnswer[];
}

export interface EligibilityFound {
  readonly views: readonly ViewAnswers[];
  /** Asked names that no view has. */
  readonly unknown: readonly WrittenName[];
  readonly known: readonly string[];
}

type Asked = { readonly subject: View | Matview; readonly query: Query; readonly kind: ViewKind; readonly maintained?: Table | Matview };

const maintainedKinds: Readonly<Record<Engine, ViewKind>> = { pg_ivm: 'IMMV', pg_trickle: 'stream table',
  timescaledb: 'continuous aggregate' };

/** A relation that has a query: a view, or what an engine maintains. */
function askedOf(relation: View | Matview | Table): Asked | undefined {
  const { maintenance } = relation.kind === 'view' ? { maintenance: undefined } : relation;
  if (relation.kind !== 'view' && maintenance !== undefined)
    return { subject: maintainedQuery(relation, maintenance), query: maintenance.query, kind: maintainedKinds[maintenance.engine],
      maintained: relation };
  if (relation.kind === 'table') return undefined;
  return { subject: relation, query: relation.query, kind: relation.kind === 'view' ? 'view' : 'materialized view' };
}

/** What the engines say of one relation; undefined for one without a query. */
export function answersFor(relation: View | Matview | Table, catalog: Catalog): readonly EngineAnswer[] | undefined {
  const asked = askedOf(relation);
  if (asked === undefined) return undefined;
  const bound = boundTo(asked.query, catalog);
  return engines.map(engine => {
    const mode = engine === 'pg_trickle' && asked.maintained?.maintenance?.engine === engine ? modeOf(asked.maintained.maintenance)
      ?? 'AUTO' : 'AUTO';
    const answer = eligibilityOf(asked.subject, engine, catalog, mode);
    const made = isGood(answer) && !answer.hazards.some(({ code }) => code === 'floating-point-sum') ? undefined : rewritten(asked.query,
      engine, bound);
    return {
      engine, is: answer.is, mode: answer.is === 'eligible' ? answer.mode ?? null : null, because: answer.is === 'unknown'
        ? answer.because : null,
      obstacles: answer.obstacles.map(shown), hazards: answer.hazards.map(shown), index: indexOf(answer),
      rewriting: made === undefined ? null : {
        steps: made.steps, query: made.sql, ...statementsOf(relation.name, engine, made), mode: made.eligibility.is === 'eligible'
          ? made.eligibility.mode ?? null : null,
        hazards: made.eligibility.hazards.map(shown),
      },
    };
  });
}

const shown = ({ code, says, message, hint, evidence }: Obstacle): ShownObstacle =>
  ({ code, says, message: message ?? null, hint: hint ?? null, at: evidence.at(-1)!.span, evidence });
const indexOf = ({ index }: Eligibility): readonly string[] | null => (index === undefined || 'unknown' in index ? null : index);

/** The catalog with the path that the query's names were found by: a rewritten text is read anew. */
function boundTo(query: Query, catalog: Catalog): Catalog {
  if (!(catalog instanceof Store)) return catalog;
  const store = catalog.fork();
  store.session = { ...store.session, searchPath: query.searchPath };
  return store;
}

/** A text in dollar quotes that it does not hold. */
function dollarQuoted(text: string): string {
  let tag = '$$';
  for (let number = 1; text.includes(tag); number += 1) tag = `$q${number}$`;
  return `${tag}\n${text}\n${tag}`;
}

/** The statements that make what is maintained, under the view's name or beneath a view of that name. */
function statementsOf(name: Name, engine: Engine, made: NonNullable<ReturnType<typeof rewritten>>): Pick<ShownRewriting,
  'onTop' | 'statements'> {
  const base: Name = made.onTop === undefined ? name : { ...name, name: `${name.name}_base` };
  const onTop = made.onTop?.(qualified(base)) ?? null;
  const create = engine === 'pg_ivm' ? `SELECT pgivm.create_immv(${quoteLiteral(qualified(base))}, ${dollarQuoted(made.sql)});`
    : engine === 'pg_trickle' ? `SELECT pgtrickle.create_stream_table(${quoteLiteral(`${base.schema}.${base.name}`)}, ${dollarQuoted(made.sql)});`
      : `CREATE MATERIALIZED VIEW ${qualified(base)} WITH (timescaledb.continuous) AS\n${made.sql};`;
  return { onTop, statements: [create, ...onTop === null ? [] : [`CREATE VIEW ${qualified(name)} AS\n${onTop};`]] };
}

/**
 * Every materialized view and everything that an engine maintains at the end of these histories; with names only what has one of them,
 * plain views
 * too. Without any materialized view the plain ones are taken. Never throws for what stands in the histories.
 */
export function eligibilityIn(histories: readonly History[], names: readonly WrittenName[],
  options: (history: History) => ReplayOptions): EligibilityFound {
  const found: ViewAnswers[] = [];
  const known = new Set<string>();
  const met = new Set<WrittenName>();
  for (const history of histories) {
    const steps = replay(history, options(history));
    let next = steps.next();
    while (next.done !== true) next = steps.next();
    const catalog = next.value;
    const relations = [...catalog.relations()].filter((relation): relation is View | Matview | Table =>
      (relation.kind === 'view' || relation.kind === 'matview' || relation.kind === 'table') && askedOf(relation) !== undefined);
    for (const { name } of relations) known.add(quote(name));
    const isAsked = ({ name }: { readonly name: Name }): boolean => names.some(one => {
      const fits = one.name === name.name && (one.schema === undefined || one.schema === name.schema);
      if (fits) met.add(one);
      return fits;
    });
    const stored = relations.filter(({ kind }) => kind !== 'view');
    for (const relation of names.length > 0 ? relations.filter(isAsked) : stored.length > 0 ? stored : relations) {
      const answers = answersFor(relation, catalog);
      if (answers !== undefined) found.push({ history: history.id, name: quote(relation.name), kind: askedOf(relation)!.kind,
        madeAt: relation.madeAt ?? null, engines: answers });
    }
  }
  return { views: found, unknown: names.filter(name => !met.has(name)), known: [...known].sort() };
}
