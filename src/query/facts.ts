import { newMemo, once } from '../memo.ts';
import type {
  Catalog, CatalogObject, Found, Known, Matview, ObjectId, OutputColumn, Query, QueryFacts, Relation, Selectable, Sequence, Span, Taint, Unique,
  View, WrittenName,
} from '../model.ts';
import { parse } from '../sql/parse.ts';
import type { Node } from '../sql/tree.ts';
import { keepShape } from './behind.ts';
import { passOn } from './from.ts';
import { keysOfShape } from './output-keys.ts';
import { isUnknown, itemSpan, newNotes, outermost, unknown, type Flow, type Run, type Shape, type ShapeColumn } from './scope.ts';
import { analyze, finalType } from './select.ts';
import { uniqueIn } from './unique.ts';
import { sameAnswers, surroundingsIn, Witness, type Asked, type Surroundings } from './surroundings.ts';

const knownIn = once((_: Catalog) => new Map<View | Matview, QueryFacts>());
/** Views over views over views: beyond this nothing is followed. */
const deepest = 40;

/**
 * What the query of a view means in a catalog: type, NULLs and taints of its columns, and the keys it proves. Relations are those the
 * query was bound to at CREATE (their
 * ids), as Postgres follows them through renames. Computed once a view object and catalog. Never throws.
 *
 * Columns are found by the names in the text: a table column that was renamed since is unknown here (Postgres would follow it).
 */
export function factsOf(view: View | Matview, catalog: Catalog): QueryFacts {
  const known = knownIn(catalog);
  const old = known.get(view);
  if (old !== undefined) return old;
  const result = settled(facts(view, surroundingsIn(catalog), 0));
  known.set(view, result);
  return result;
}

/** The same facts without what only decides between values: that is no taint of the value. */
class Settled implements QueryFacts {
  private readonly inner: QueryFacts;
  private knownColumns: QueryFacts['columns'] | undefined;

  constructor(inner: QueryFacts) {
    this.inner = inner;
  }

  get columns(): QueryFacts['columns'] {
    if (this.knownColumns !== undefined) return this.knownColumns;
    const isValue = (taint: Taint): boolean => (taint as Flow).decides !== true;
    const { columns } = this.inner;
    return (this.knownColumns = isUnknown(columns) ? columns
      : columns.map(column => (column.taints.every(isValue) ? column : withTaints(column, column.taints.filter(isValue)))));
  }

  get keys(): QueryFacts['keys'] { return this.inner.keys; }
  get rows(): QueryFacts['rows'] { return this.inner.rows; }
  get frozen(): QueryFacts['frozen'] { return this.inner.frozen; }
  get calls(): QueryFacts['calls'] { return this.inner.calls; }
  get unique(): QueryFacts['unique'] { return this.inner.unique; }
}

const settled = once((inner: QueryFacts): QueryFacts => new Settled(inner));

/** What is found out about views beneath a query that is being analyzed. */
export function factsBeneath(around: Surroundings, depth = 0): (view: View | Matview) => QueryFacts {
  return view => facts(view, around, depth + 1);
}

function facts(view: View | Matview, around: Surroundings, depth: number): QueryFacts {
  const found = recalled(view.query, around) ?? (depth > deepest ? undefined : compute(view, around, depth));
  if (found === undefined) return nothing(view);
  const old = made.get(view);
  if (old?.analysis === found) return old.facts;
  const fresh = factsFrom(view, found);
  made.set(view, { analysis: found, facts: fresh });
  return fresh;
}

/** The facts that the last analysis of a view's query gave. */
const made = newMemo<View | Matview, { readonly analysis: Analysis; readonly facts: QueryFacts }>();

function factsFrom(view: View | Matview, analysis: Analysis): QueryFacts {
  const { shape, frozen, calls } = analysis;
  if (shape.open) return { ...nothing(view), rows: shape.rows ?? [], frozen, calls };
  const facts = new Facts(view, analysis);
  if (asCreated(view, shape)) keepShape(facts, shape);
  return facts;
}

/** What an analysis says of a view. Few ask for its keys, and finding all of them takes longer than the rest. */
class Facts implements QueryFacts {
  readonly rows: QueryFacts['rows'];
  readonly frozen: QueryFacts['frozen'];
  readonly calls: QueryFacts['calls'];
  private readonly view: View | Matview;
  private readonly shape: Shape;
  private knownColumns: QueryFacts['columns'] | undefined;
  private knownKeys: QueryFacts['keys'] | undefined;

  constructor(view: View | Matview, { shape, frozen, calls }: Analysis) {
    this.view = view;
    this.shape = shape;
    this.rows = shape.rows ?? [];
    this.frozen = frozen;
    this.calls = calls;
  }

  get columns(): QueryFacts['columns'] {
    return (this.knownColumns ??= outputColumns(this.view, this.shape));
  }

  get keys(): QueryFacts['keys'] {
    return (this.knownKeys ??= outputKeys(this.view, this.shape));
  }

  readonly unique = (columns: readonly string[]): Unique => uniqueOf(this.view, this.shape, columns);
}

/** The last analysis of each query, with what it asked. */
const analyses = newMemo<Query, { readonly analysis: Analysis; readonly asked: readonly Asked[] }>();

/** What an analysis finds out about a query. */
interface Analysis extends Pick<QueryFacts, 'frozen' | 'calls'> {
  readonly shape: Shape;
}

/** Keeps what an analysis of a query has found, for every catalog that answers the same. */
export function remember(query: Query, analysis: Analysis, around: Witness): void {
  analyses.set(query, { analysis, asked: around.questions() });
}

function recalled(query: Query, around: Surroundings): Analysis | undefined {
  const known = analyses.get(query);
  return known !== undefined && sameAnswers(known.asked, around) ? known.analysis : undefined;
}

const nothing = (view: View | Matview): QueryFacts =>
  ({
    columns: unknown(`the columns of ${view.name.name}`), keys: unknown(`a key of ${view.name.name}`), unique: () => notKnown, rows: [],
      frozen: [], calls: [],
  });

/** The query's node in the tree of its statement. */
function queryNode(node: Node): Node | undefined {
  if ('SelectStmt' in node) return node;
  if ('CreateTableAsStmt' in node) return node.CreateTableAsStmt.query;
  return 'ViewStmt' in node ? node.ViewStmt.query : undefined;
}

function compute(view: View | Matview, outer: Surroundings, depth: number): Analysis | undefined {
  const { query } = view;
  const parsed = parse(query.statement.sql);
  const node = parsed.ok ? queryNode(parsed.node) : undefined;
  if (node === undefined) return undefined;
  const around = new Witness(outer);
  const placeOf = ({ path, start, end }: Span): string => `${start} ${end} ${path}`;
  const places = new Map<string, Set<ObjectId>>();
  for (const { id, span } of query.reads) {
    const ids = places.get(placeOf(span));
    if (ids === undefined) places.set(placeOf(span), new Set([id]));
    else ids.add(id);
  }
  const bound = (name: WrittenName, span: Span): Found<Relation> => {
    const there = [...places.get(placeOf(span)) ?? []].flatMap(id => around.get(id) ?? []).filter(isReadable);
    // Where a text comes from a database or a literal, all of its names share one place.
    const object = there.length < 2 ? there[0] : there.find(candidate => candidate.name.name === name.name
      && (name.schema === undefined || candidate.name.schema === name.schema));
    return object === undefined ? { is: 'unknown' } : { is: 'present', object };
  };
  const notes = newNotes();
  const run: Run = {
    notes, statement: query.statement, catalog: around, relation: bound, viewFacts: factsBeneath(around, depth),
    reads: [], missing: [], missingColumns: [], routines: new Set(), held: new Set(), truncated: false, lastId: 0, depth: 0,
  };
  const shape = analyze(node, run, outermost);
  const analysis: Analysis = { shape, frozen: notes.frozen, calls: notes.calls };
  remember(query, analysis, around);
  return analysis;
}

const isReadable = (object: CatalogObject): object is Selectable | Sequence =>
  object.kind === 'table' || object.kind === 'view' || object.kind === 'matview' || object.kind === 'sequence';

/** `select *` meant the columns of CREATE: a column that a table gained since is not in the view. */
const asCreated = (view: View | Matview, shape: Shape): boolean => isUnknown(view.columns) || view.columns.length === shape.columns.length;

/** A column that a query puts out. Its end is found by its tokens, which is dear, and few ask where it stands. */
class Printed implements OutputColumn {
  readonly name: string;
  readonly type: Known<string>;
  readonly nullable: Known<boolean>;
  readonly taints: readonly Taint[];
  private readonly place: () => Span;
  private known: Span | undefined;

  constructor(name: string, type: Known<string>, nullable: Known<boolean>, taints: readonly Taint[], place: () => Span) {
    this.name = name;
    this.type = type;
    this.nullable = nullable;
    this.taints = taints;
    this.place = place;
  }

  get span(): Span {
    return (this.known ??= this.place());
  }
}

const withTaints = (column: OutputColumn, taints: readonly Taint[]): OutputColumn => new Printed(column.name, column.type, column.nullable, taints, () => column.span);

function outputColumns(view: View | Matview, shape: Shape): Known<readonly OutputColumn[]> {
  const { statement, names } = view.query;
  const print = (name: string, column: ShapeColumn, type: Known<string>): OutputColumn => {
    const place = (): Span => itemSpan(statement, column.start);
    const taints = column.taints.map(taint => passOn(taint, place(), `column ${name} of ${view.name.name}`));
    return new Printed(name, type, column.nullable, taints, place);
  };
  if (isUnknown(view.columns)) return shape.columns.map((column, at) => print(names[at] ?? column.name, column, finalType(column)));
  if (asCreated(view, shape)) {
    return view.columns.map((column, at) => print(column.name, shape.columns[at]!, isUnknown(column.type) ? finalType(shape.columns[at]!)
      : column.type));
  }
  return view.columns.map(column => {
    const found = shape.columns.find(candidate => candidate.name === column.name);
    const fallback: ShapeColumn = { name: column.name, type: column.type, literal: false,
      nullable: unknown(`whether ${column.name} is NULL`), taints: [], start: view.query.start };
    return print(column.name, found ?? fallback, column.type);
  });
}

function outputKeys(view: View | Matview, shape: Shape): QueryFacts['keys'] {
  const keys = asCreated(view, shape) ? keysOfShape(shape) : [];
  return keys.length === 0 ? unknown(`a key of ${view.name.name}`) : keys.map(key => key.map(at => nameAt(view, shape, at)));
}

function uniqueOf(view: View | Matview, shape: Shape, columns: readonly string[]): Unique {
  const names = shape.columns.map((_, at) => nameAt(view, shape, at));
  const positions = columns.map(column => names.indexOf(column));
  if (!asCreated(view, shape) || positions.includes(-1)) return notKnown;
  return uniqueIn(shape, positions, at => itemSpan(view.query.statement, shape.columns[at]!.start));
}
const notKnown: Unique = { is: 'unknown', why: [] };

const nameAt = (view: View | Matview, shape: Shape, at: number): string =>
  (isUnknown(view.columns) ? undefined : view.columns[at]?.name) ?? view.query.names[at] ?? shape.columns[at]!.name;
