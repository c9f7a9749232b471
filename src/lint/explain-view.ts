import type { Catalog, Column, Evidence, History, Index, Known, Matview, OutputColumn, QueryFacts, Span, Taint, View,
  WrittenName } from '../model.ts';
import { factsOf } from '../query/facts.ts';
import { answersFor, type EngineAnswer } from './ivm.ts';
import { replay, type ReplayedMigration, type ReplayOptions } from '../catalog/replay.ts';
import { hasUsableUniqueIndex, unusable } from '../rule/indexes.ts';
import { isUnknown, known } from '../rule/facts.ts';
import { provedKeys, whyNoKey, type ProvedKey } from '../rule/keys.ts';
import { describe, describeIndex, keyText, list, qualified, quote } from '../rule/words.ts';

/** Everything mvlint knows of a view at the end of its history; plain data. `null` stands for what is not known. */
export interface ViewExplanation {
  readonly history: string;
  readonly name: string;
  readonly kind: 'view' | 'materialized view';
  readonly madeAt: Span | null;
  readonly populated: boolean | null;
  readonly columns: readonly ExplainedColumn[] | null;
  /** What decides which rows there are, where that changes by itself. */
  readonly rows: readonly Taint[];
  readonly keys: readonly ProvedKey[] | null;
  readonly reads: readonly { readonly relation: string; readonly columns: readonly string[] | null; readonly span: Span }[];
  readonly readBy: readonly { readonly object: string; readonly madeAt: Span | null }[];
  readonly indexes: readonly ExplainedIndex[];
  readonly refreshes: readonly { readonly by: string; readonly concurrently: boolean; readonly span: Span }[];
  readonly concurrently: Concurrently;
  /** What each engine of incremental maintenance says of its query. */
  readonly eligibility: readonly EngineAnswer[];
}

export interface ExplainedColumn {
  readonly name: string;
  readonly type: string | null;
  readonly nullable: boolean | null;
  readonly span: Span;
  readonly taints: readonly Taint[];
}

export interface ExplainedIndex {
  readonly definition: string;
  /** Whether REFRESH … CONCURRENTLY can use it; `because`: why not. */
  readonly usable: boolean | null;
  readonly because: string | null;
  /** What the query says of its columns, for a unique one over columns. */
  readonly holds: 'yes' | 'no' | 'unknown' | null;
  readonly madeAt: Span | null;
}

/** Whether CONCURRENTLY works, in sentences, and the statement that would help. */
export interface Concurrently {
  readonly possible: boolean | null;
  readonly says: readonly string[];
  readonly statement: string | null;
  readonly evidence: readonly Evidence[];
}

/** The answer to a name: what it means in each history that has it, or everything that could have been meant. */
export interface ViewsFound {
  readonly found: readonly ViewExplanation[];
  /** Other relations that have the name: tables, indexes, sequences. */
  readonly others: readonly string[];
  /** Names of every view, for "did you mean". */
  readonly known: readonly string[];
}

interface Refreshed {
  readonly by: string;
  readonly concurrently: boolean;
  readonly span: Span;
  readonly target: number;
}

const orNull = <T>(fact: Known<T>): T | null => known(fact) ?? null;

/** What is known of the views of a name at the end of these histories. Never throws for what stands in them. */
export function explainViews(histories: readonly History[], name: WrittenName,
  options: (history: History) => ReplayOptions): ViewsFound {
  const found: ViewExplanation[] = [];
  const others: string[] = [];
  const names = new Set<string>();
  for (const history of histories) {
    const refreshed: Refreshed[] = [];
    const steps = replay(history, options(history));
    let next = steps.next();
    for (; next.done !== true; next = steps.next()) collect(next.value, refreshed);
    const catalog = next.value;
    for (const relation of catalog.relations()) {
      const isView = relation.kind === 'view' || relation.kind === 'matview';
      if (isView) names.add(quote(relation.name));
      if (relation.name.name !== name.name || (name.schema !== undefined && relation.name.schema !== name.schema)) continue;
      if (isView) found.push(explainView(history, relation, catalog, refreshed));
      else others.push(describe(relation));
    }
  }
  return { found, others, known: [...names].sort() };
}

/** The refreshes that a migration itself does. */
function collect({ judged, steps, migration }: ReplayedMigration, refreshed: Refreshed[]): void {
  if (!judged) return;
  for (const effect of steps.flatMap(step => step.effects)) {
    if (effect.kind !== 'refreshMatview') continue;
    refreshed.push({ by: `migration ${migration.id}`, concurrently: effect.concurrently, span: effect.via.span,
      target: effect.matview.id });
  }
}

function explainView(history: History, view: View | Matview, catalog: Catalog, refreshed: readonly Refreshed[]): ViewExplanation {
  const facts = factsOf(view, catalog);
  const columns = known(facts.columns)?.map(explained) ?? known(view.columns)?.map(column => bare(column, view)) ?? null;
  const sites = catalog.sites.filter(site => {
    const target = catalog.find(site.target, site.searchPath);
    return target.is === 'present' && target.object.id === view.id;
  });
  return {
    history: history.id, name: quote(view.name), kind: view.kind === 'view' ? 'view' : 'materialized view', madeAt: view.madeAt ?? null,
    populated: view.kind === 'view' ? null : orNull(view.populated), columns, rows: facts.rows,
      keys: isUnknown(facts.keys) ? null : provedKeys(facts),
    reads: view.query.reads.flatMap(read => {
      const object = catalog.get(read.id);
      return object === undefined ? [] : [{ relation: describe(object), columns: read.columns ?? null, span: read.span }];
    }),
    readBy: [...new Set(catalog.dependants(view.id).map(({ dependent }) => dependent))].flatMap(id => {
      const object = catalog.get(id);
      return object === undefined || object.kind === 'index' ? [] : [{ object: describe(object), madeAt: object.madeAt ?? null }];
    }),
    indexes: catalog.indexesOf(view.id).map(index => explainedIndex(index, view, catalog)),
    refreshes: [
      ...sites.map(site => ({ by: site.holder, concurrently: site.concurrently, span: site.span })),
      ...refreshed.filter(({ target }) => target === view.id).map(({ by, concurrently, span }) => ({ by, concurrently, span })),
    ],
    concurrently: view.kind === 'view' ? plainView : concurrently(view, catalog),
    eligibility: answersFor(view, catalog) ?? [],
  };
}

const explained = (column: OutputColumn): ExplainedColumn =>
  ({ name: column.name, type: orNull(column.type), nullable: orNull(column.nullable), span: column.span, taints: column.taints });
const bare = (column: Column, view: View | Matview): ExplainedColumn =>
  ({ name: column.name, type: orNull(column.type), nullable: null, span: column.span ?? view.query.statement.span, taints: [] });

function explainedIndex(index: Index, view: View | Matview, catalog: Catalog): ExplainedIndex {
  const because = unusable(index);
  const columns = index.columns.flatMap(({ column }) => column ?? []);
  const holds = index.unique && columns.length === index.columns.length && index.predicate === undefined
    ? factsOf(view, catalog).unique(columns).is : null;
  return { definition: describeIndex(index), usable: because !== undefined ? false : isUnknown(index.valid) ? null : true,
    because: because ?? null, holds, madeAt: index.madeAt ?? null };
}

const plainView: Concurrently = { possible: null, says: ['A plain view is computed whenever it is read: there is nothing to refresh.'],
  statement: null, evidence: [] };

function concurrently(view: Matview, catalog: Catalog): Concurrently {
  const facts = factsOf(view, catalog);
  const usable = catalog.indexesOf(view.id).filter(index => unusable(index) === undefined);
  const empty = view.populated === false ? ['It is not populated: the first refresh must be a plain one (0A000 otherwise).'] : [];
  if (usable.length > 0) {
    const doubts = usable.map(index => doubt(index, facts));
    const isValid = hasUsableUniqueIndex(view, catalog) === true;
    return {
      possible: isValid ? true : null,
      says: [`${isValid ? 'Possible' : 'Possible if the index is valid'}: it has ${list(usable.map(describeIndex))}.`, ...empty,
        ...doubts.flatMap(item => item.says)],
      statement: null, evidence: doubts.flatMap(item => item.evidence),
    };
  }
  const near = catalog.indexesOf(view.id).filter(index => index.unique).map(index =>
    `${quote(index.name.name)} does not serve: ${unusable(index)}.`);
  const [best] = isUnknown(facts.keys) ? [] : provedKeys(facts);
  const missing = 'Not possible (55000): it has no unique index over plain columns.';
  if (best === undefined) {
    const why = whyNoKey(facts);
    const reason = why.length > 0 ? 'Whole rows can repeat, so no index can be unique: aggregate them, or add what tells them apart.'
      : 'mvlint does not find a key in its query; if you know one, index it.';
    return { possible: false, says: [missing, ...near, ...empty, reason], statement: null, evidence: why };
  }
  if (best.columns.length === 0) {
    return { possible: false, says: [missing, ...near, ...empty,
      'Its query returns one row at most: add a column such as 1 AS id to the query and index that.'], statement: null, evidence: [] };
  }
  const nulls = best.nullable.length === 0 ? [] : [`Rows with NULL in ${list(best.nullable.map(column =>
    quote(column)))} are rewritten by every concurrent refresh; coalesce() to a constant in the query avoids that.`];
  return {
    possible: false, says: [missing, ...near, ...empty, `Its query proves that ${keyText(best.columns)} is unique.`, ...nulls, 'This index would do:'],
    statement: `CREATE UNIQUE INDEX ON ${qualified(view.name)} ${keyText(best.columns)};`, evidence: [],
  };
}

/** What speaks against an index that CONCURRENTLY takes. */
function doubt(index: Index, facts: QueryFacts): { readonly says: readonly string[]; readonly evidence: readonly Evidence[] } {
  const columns = index.columns.flatMap(({ column }) => column ?? []);
  const { is, why } = facts.unique(columns);
  const nullable = (known(facts.columns) ?? []).filter(column => columns.includes(column.name) && column.nullable === true);
  return {
    says: [
      ...(is === 'no' ? [`But rows can repeat ${keyText(columns)}: a refresh fails on the day they do (23505).`] : []),
      ...(nullable.length > 0 ? [`Rows with NULL in ${list(nullable.map(column =>
        quote(column.name)))} are rewritten by every concurrent refresh.`] : []),
    ],
    evidence: is === 'no' ? why : [],
  };
}
