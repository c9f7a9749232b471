import type {
  Found, FrozenLiteral, Known, Matview, ObjectId, QueryFacts, Relation, Selectable, Span, Statement, Taint, Unknown, View, WrittenName,
} from '../model.ts';
import { sourceSpan, targetEnd } from '../sql/span.ts';
import type { CommonTableExpr } from '../sql/tree.ts';
import type { Inspection } from './inspection.ts';
import { Ids } from './ids.ts';
import type { RowFacts } from './laws.ts';
import type { RowOrder } from './row-order.ts';
import type { Surroundings } from './surroundings.ts';
import type { Use } from './uses.ts';

/** What an expression is worth. */
export interface Value {
  readonly type: Known<string>;
  /** A string or NULL constant whose type the context decides (`text` in a select list). */
  readonly literal: boolean;
  readonly nullable: Known<boolean>;
  readonly taints: readonly Taint[];
  /** Set when the expression is nothing but this column. */
  readonly column?: ScopeColumn;
  /** A constant that every row shares. */
  readonly constant?: boolean;
  /** For a routine that gives rows: the taints of each of their columns. */
  readonly parts?: readonly (readonly Taint[])[];
  /** A string constant whose type the context decides: what it says, and where it stands in the statement. */
  readonly word?: { readonly text: string; readonly start: number };
}

/** A taint on its way. `decides`: it only chooses between values, as a comparison with the clock does, and is no value of the column. */
export interface Flow extends Taint {
  readonly decides?: true;
}

/** One relation occurrence in FROM; collects what is used of it. */
export interface ReadBuilder {
  readonly id: ObjectId;
  readonly span: Span;
  /** Undefined from the moment the whole row may be used. */
  columns: Set<string> | undefined;
}

/** A column as an expression can name it. `nullable` changes while joins are built (outer joins), never afterwards. */
export interface ScopeColumn {
  readonly name: string;
  readonly type: Known<string>;
  readonly literal: boolean;
  nullable: Known<boolean>;
  readonly taints: readonly Taint[];
  /** Identities of this value: a merged USING column of an inner join is both of its sources. */
  readonly ids: readonly number[];
  /** The reads that naming it uses. */
  readonly uses: readonly { readonly read: ReadBuilder; readonly column: string }[];
  /** The only values it can have, where those are written out as constants. */
  readonly literals?: ReadonlySet<string>;
  /** A row number: there is none below one. */
  readonly fromOne?: true;
}

/** What a qualified reference `alias.x` can reach. */
export interface Entry {
  readonly alias: string;
  /** Schema of an unaliased relation, for `schema.table.column`. */
  readonly schema?: string;
  readonly columns: readonly ScopeColumn[];
  /** There are columns that are not known. */
  readonly open: boolean;
  /** Every relation beneath it. */
  readonly reads: readonly ReadBuilder[];
  /** Set when it is one relation itself, which then has system columns. */
  readonly relation?: Relation;
  /** A whole row of it is an anonymous record: it is a sub-select, a CTE, VALUES or a join. */
  readonly record?: boolean;
}

/** A candidate key: identities of columns; no two rows agree in all of them (NULL taken as equal to NULL). Empty: at most one row. */
export type Key = readonly number[];

/** One item of FROM with everything joined below it. */
export interface Source {
  /** In the order of `*`. */
  readonly columns: readonly ScopeColumn[];
  readonly open: boolean;
  readonly entries: readonly Entry[];
  /** What decides its rows; only where keys are asked for. */
  readonly facts: RowFacts;
}

export interface Scope {
  readonly sources: readonly Source[];
  readonly outer: Scope | undefined;
  /** Identities that a condition proves not NULL. */
  readonly strict: Ids;
  /** Whether any condition mentions a column. */
  readonly mentions: (column: ScopeColumn) => boolean;
  /** GROUP BY produces NULLs of its own (ROLLUP, CUBE, GROUPING SETS). */
  readonly groupingSets: boolean;
  /** A plain GROUP BY: no group is empty. */
  readonly grouped: boolean;
  /** What decides the order of the rows; only where taints are asked for. */
  readonly order: RowOrder | undefined;
}

/** A column that a query puts out. */
export interface ShapeColumn {
  readonly name: string;
  readonly type: Known<string>;
  readonly literal: boolean;
  readonly nullable: Known<boolean>;
  readonly taints: readonly Taint[];
  /** Where the select-list item begins in the statement; its end is found when it is asked for. */
  readonly start: number;
  /** Identities of its value in the facts of the query's rows. */
  readonly ids?: readonly number[] | undefined;
  /** The only values it can have, where those are written out as constants. */
  readonly literals?: ReadonlySet<string> | undefined;
  /** A row number: there is none below one. */
  readonly fromOne?: true | undefined;
}

/** What a query puts out. */
export interface Shape {
  readonly columns: readonly ShapeColumn[];
  readonly open: boolean;
  /** What decides which of its rows are the same; only where keys are asked for. */
  readonly facts: RowFacts;
  /** The branches of a UNION at the top, the first one first: what repeats in one repeats in all. */
  readonly branches?: readonly Branch[];
  /** What decides which rows there are. */
  readonly rows?: readonly Taint[];
  /** Whether the rows come in an order that the values alone decide; absent when that is not known. */
  readonly ordered?: boolean;
}

/** One branch of a UNION. `tables`: every relation beneath it, unknown when there may be more. */
export interface Branch {
  readonly shape: Shape;
  /** Rows of branches before it that are equal to its own are dropped (UNION without ALL). */
  readonly distinct: boolean;
  readonly tables: Known<readonly ObjectId[]>;
  /** It is nothing but all rows of one table, which no check binds. */
  readonly wholeTable: boolean;
}

export interface CteList {
  readonly name: string;
  readonly shape: Shape;
  /** The identities that are its own: those above `mark`, up to `until`. */
  readonly mark?: number;
  readonly until?: number;
  /** Where it is written. */
  readonly node?: CommonTableExpr;
  readonly next: CteList | undefined;
}

/** Where a query stands: the scopes around it, the CTEs it sees, how deep it is. */
export interface Env {
  readonly outer: Scope | undefined;
  readonly ctes: CteList | undefined;
  readonly depth: number;
  /** Somebody wants to know that the rows come in no order: ARRAY(SELECT …). */
  readonly asksOrder: boolean;
}

/** One analysis of one query: its inputs and what it collects. */
export interface Run {
  readonly statement: Statement;
  readonly catalog: Surroundings;
  /** The relation a name in FROM stands for. */
  readonly relation: (name: WrittenName, span: Span) => Found<Relation>;
  /** Facts of views beneath; absent while lowering, where taints and keys are not asked for. */
  readonly viewFacts?: (view: View | Matview) => QueryFacts;
  readonly reads: ReadBuilder[];
  readonly missing: { readonly name: WrittenName; readonly span: Span; readonly found: 'absent' | 'unknown' }[];
  readonly missingColumns: { readonly relation: ObjectId; readonly column: string; readonly span: Span }[];
  readonly routines: Set<ObjectId>;
  /** Types that it casts to, and relations that a constant is the regclass of: they are held, nothing of them is read. */
  readonly held: Set<ObjectId>;
  /** The indexes of the primary keys that a GROUP BY relies on; collected only when asked for. */
  readonly keys?: Set<ObjectId>;
  /** What resolution chose, in the order it was found; collected only when asked for. */
  readonly uses?: Use[];
  /** What was found, by node; kept only when asked for. */
  readonly inspection?: Inspection;
  /** What the analysis notes for the taints of the rows; only where taints are asked for. */
  readonly notes?: Notes;
  /** The arguments of the routine whose body this is. */
  readonly parameters?: readonly ScopeColumn[];
  /** Something nested too deep was left out, so any column may be used. */
  truncated: boolean;
  lastId: number;
  /** Levels of expression nesting at this moment. */
  depth: number;
}

/** What is noted while a query is read, by the nodes of its tree. */
export interface Notes {
  /** Of expressions that have any. */
  readonly taints: Map<object, readonly Taint[]>;
  /** Of every SELECT. */
  readonly shapes: Map<object, Shape>;
  readonly frozen: FrozenLiteral[];
  readonly calls: { readonly routine: ObjectId; /** Where it begins in the text of the statement. */ readonly start: number; readonly span: Span }[];
  /** Routines whose bodies are being read, the outermost first. */
  readonly within: readonly ObjectId[];
  /** What bodies give where no argument brings a taint along. */
  readonly bodies: Map<ObjectId, Shape | 'unknown'>;
  /** What the query and the bodies that it runs do, whatever comes of it. */
  readonly deeds: Deeds;
}

/** What decides how stable a body is. */
export interface Deeds {
  /** Every clock, draw, sequence and setting that is asked. */
  readonly origins: Taint[];
  readonly reads: ReadBuilder[];
  readonly writes: Span[];
  /** A built-in function is called that Postgres holds to be volatile. */
  volatile: boolean;
  /** Something is not known: a function, a body, a statement that is made at run time. */
  opaque: boolean;
}

export const noDeeds = (): Deeds => ({ origins: [], reads: [], writes: [], volatile: false, opaque: false });

/** Nesting beyond this is left out: the stack of Node holds it several times over. */
export const depthLimit = 300;

export const unknown = (what: string): Unknown => ({ unknown: what });
export const isUnknown = (value: unknown): value is Unknown => typeof value === 'object' && value !== null && 'unknown' in value;

/** Empty notes for one analysis. */
export const newNotes = (within: readonly ObjectId[] = [], deeds: Deeds = noDeeds()): Notes =>
  ({ taints: new Map(), shapes: new Map(), frozen: [], calls: [], within, bodies: new Map(), deeds });

// Scopes and the places of queries have the same fields in the same order, whatever is known: they are read at every name.
const mentionsNothing = (): boolean => false;

/** A scope of these sources without conditions and groups. */
export const scopeOver = (sources: readonly Source[], outer?: Scope): Scope =>
  ({ sources, outer, strict: Ids.none, mentions: mentionsNothing, groupingSets: false, grouped: false, order: undefined });

const nowhere = scopeOver([]);
/** What a query without FROM sees. */
export const noScope = ({ outer }: Env): Scope => (outer === undefined ? nowhere : scopeOver([], outer));

/** Where a query stands that is written in this scope. */
export const envWithin = (outer: Scope | undefined, ctes: CteList | undefined, depth: number, asksOrder = false): Env => ({ outer, ctes, depth, asksOrder });
/** Where the query of a view stands. */
export const outermost = envWithin(undefined, undefined, 0);
/** One level deeper, with other CTEs. */
export const deeper = (env: Env, ctes = env.ctes): Env => ({ outer: env.outer, ctes, depth: env.depth + 1, asksOrder: env.asksOrder });

export const newId = (run: Run): number => (run.lastId += 1);

/** Nothing is known of the value, but for its type where it is given. */
export function unknownValue(what: string, type: Known<string> = unknown(`type of ${what}`)): Value {
  return { type, literal: false, nullable: unknown(`whether ${what} is NULL`), taints: noTaints };
}

export const noTaints: readonly Taint[] = [];

/** The taints of several values, one per origin. */
export function unionTaints(...lists: readonly (readonly Taint[])[]): readonly Taint[] {
  let first = noTaints;
  let isOne = true;
  for (const list of lists) {
    if (list.length === 0 || list === first) continue;
    if (first.length > 0) isOne = false;
    else first = list;
  }
  // Most values have no taint, and most others have those of one part.
  if (isOne) return first;
  const seen = new Map<string, Taint>();
  for (const taint of lists.flat()) {
    const { span } = taint.path[0];
    const decides = (taint as Flow).decides === true ? 'decides' : '';
    const key = `${taint.cause} ${taint.flips} ${taint.setting ?? ''} ${taint.form ?? ''} ${decides} ${span.path} ${span.start}`;
    if (!seen.has(key)) seen.set(key, taint);
  }
  return [...seen.values()].slice(0, 16);
}

export const isHole = (name: string): boolean => name.includes('mvlint_hole_');

export type Lookup =
  | { readonly is: 'column'; readonly column: ScopeColumn; readonly scope: Scope }
  | { readonly is: 'system'; readonly entry: Entry; readonly name: string }
  | { readonly is: 'row'; readonly entry: Entry }
  /** The name may be one of columns that are not known. */
  | { readonly is: 'undecided' }
  /** Every scope is known and none has it; `entry` is a relation to name in the message. */
  | { readonly is: 'missing'; readonly entry?: Entry };

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);
const useAll = (reads: readonly ReadBuilder[]): void => reads.forEach(read => (read.columns = undefined));
export function use(column: ScopeColumn): void {
  for (const { read, column: name } of column.uses) read.columns?.add(name);
}
export function useRow(entry: Entry): void {
  useAll(entry.reads);
  entry.columns.forEach(use);
}

const entriesOf = (scope: Scope): readonly Entry[] => scope.sources.flatMap(source => source.entries);

/**
 * An unqualified name: columns of the nearest scope first, then outward, and a whole row only after no scope has such a column
 * (colNameToVar and transformColumnRef in parse_relation.c and parse_expr.c; measured in the tests). Marks what it uses.
 */
export function lookupColumn(scope: Scope | undefined, name: string): Lookup {
  let undecided = false;
  for (let at = scope; at !== undefined; at = at.outer) {
    const found = at.sources.map(source => source.columns.find(column => column.name === name)).find(column => column !== undefined);
    if (found !== undefined) {
      if (undecided) {
        useAll(found.uses.map(({ read }) => read));
        return { is: 'undecided' };
      }
      use(found);
      return { is: 'column', column: found, scope: at };
    }
    const open = at.sources.flatMap(source => (source.open ? source.entries : []));
    if (open.length > 0 || at.sources.some(source => source.open)) {
      undecided = true;
      for (const entry of open) if (entry.open) useAll(entry.reads);
    } else if (!undecided && systemColumns.has(name)) {
      const base = entriesOf(at).filter(entry => entry.relation !== undefined);
      if (base.length === 1) return { is: 'system', entry: base[0]!, name };
    }
  }
  if (undecided) return { is: 'undecided' };
  for (let at = scope; at !== undefined; at = at.outer) {
    const entry = entriesOf(at).find(candidate => candidate.alias === name);
    if (entry !== undefined) {
      useRow(entry);
      return { is: 'row', entry };
    }
  }
  const base = scope === undefined ? undefined : entriesOf(scope).find(entry => entry.relation !== undefined);
  return { is: 'missing', ...(base === undefined ? {} : { entry: base }) };
}

/** The FROM item that a qualifier names, from the nearest scope outward. */
export function lookupEntry(
  scope: Scope | undefined, alias: string, schema?: string,
): { readonly entry: Entry; readonly scope: Scope } | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    for (const source of at.sources) for (const entry of source.entries) {
      if (entry.alias === alias && (schema === undefined || entry.schema === schema)) return { entry, scope: at };
    }
  }
  return undefined;
}

/** `alias.name`. Marks what it uses. */
export function lookupQualified(scope: Scope | undefined, alias: string, name: string, schema?: string): Lookup {
  const found = lookupEntry(scope, alias, schema);
  if (found === undefined) return { is: 'undecided' };
  const { entry } = found;
  const column = entry.columns.find(candidate => candidate.name === name);
  if (column !== undefined) {
    use(column);
    return { is: 'column', column, scope: found.scope };
  }
  if (entry.open) {
    // The name is a column of the entry, only its type is not known.
    if (entry.relation !== undefined) entry.reads.forEach(read => read.columns?.add(name));
    else useAll(entry.reads);
    return { is: 'undecided' };
  }
  if (entry.relation !== undefined && systemColumns.has(name)) return { is: 'system', entry, name };
  return { is: 'missing', entry };
}

export const isSelectable = (object: Relation): object is Selectable =>
  object.kind === 'table' || object.kind === 'view' || object.kind === 'matview';

/** Whether taints, NULLs and keys are asked for; lowering needs names, types and uses only. */
export const isJudging = (run: Run): boolean => run.viewFacts !== undefined;

/** The place of a select-list item, its label included. */
export const itemSpan = (statement: Statement, start: number): Span => sourceSpan(statement, start, targetEnd(statement.sql, start));
