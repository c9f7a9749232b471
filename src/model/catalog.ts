/** The state of a database at one moment. */
import type { Evidence, Known, Span } from './text.ts';
import type { Statement } from './migrations.ts';
import type { Query } from './query.ts';
import type { Engine, Maintenance } from './incremental.ts';

/** Identity of an object inside one history; it survives RENAME and SET SCHEMA as an OID does. */
export type ObjectId = number;

/** A schema-qualified name as the catalog stores it. */
export interface Name {
  readonly schema: string;
  readonly name: string;
}

/** A name as the user wrote it: `schema` is absent when the search path decides. */
export interface WrittenName {
  readonly schema?: string;
  readonly name: string;
}

interface ObjectBase {
  readonly id: ObjectId;
  /** Facts that a branch may have changed, as the words of its facts begin (`constraint`, `option`): nothing is claimed of those. */
  readonly inDoubt?: readonly string[];
  /** Where it was made; evidence for every finding about it. Absent for what the catalog began with (schema public, a snapshot's objects). */
  readonly madeAt?: Span;
  readonly owner: Known<string>;
}

export interface Schema extends ObjectBase {
  readonly kind: 'schema';
  readonly name: string;
  readonly grants: Grants;
}

/** privilege → who holds it. Keys of the outer map are grantees (`public` for PUBLIC), of the inner one privileges in upper case. */
export type Grants = ReadonlyMap<string, ReadonlySet<string>>;

export interface Column {
  readonly name: string;
  /** As format_type prints it (`bigint`, `numeric(12,2)`, `timestamp with time zone`). */
  readonly type: Known<string>;
  /** True when a NOT NULL or primary-key constraint forbids NULL. Never for columns of views. */
  readonly notNull: Known<boolean>;
  /** GENERATED ALWAYS AS (…): computed when it is read (`virtual`, the usual one from 18 on) or kept. */
  readonly generated?: 'stored' | 'virtual';
  /** The collation that its declaration names, without its schema; absent for the type's own. */
  readonly collation?: string;
  readonly span?: Span;
  /** Column-level grants. */
  readonly grants?: Grants;
  readonly comment?: Known<string>;
}

interface RelationBase extends ObjectBase {
  readonly name: Name;
  readonly comment?: Known<string>;
  /** `WITH (…)`, by lower-case key. */
  readonly options: ReadonlyMap<string, string>;
  readonly tablespace?: string;
}

interface SelectableBase extends RelationBase {
  /** In order; `unknown` when the defining query uses what the history does not show. */
  readonly columns: Known<readonly Column[]>;
  readonly grants: Grants;
}

export interface Table extends SelectableBase {
  readonly kind: 'table';
  readonly persistence: 'permanent' | 'temporary' | 'unlogged';
  readonly constraints: readonly Constraint[];
  readonly inherits: readonly ObjectId[];
  readonly partitioned: boolean;
  readonly rowSecurity: boolean;
  /** An engine keeps its rows: an IMMV or a stream table, which are ordinary tables to Postgres. */
  readonly maintenance?: Maintenance;
  /** The time column of a TimescaleDB hypertable. */
  readonly hypertable?: Known<string>;
  /** A table of another server. */
  readonly foreign?: true;
}

export interface Constraint {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude';
  /** Key columns, in order; empty for table-level checks over expressions. */
  readonly columns: readonly string[];
  /** Of a check: every column that its condition names, where that is known. */
  readonly mentions?: readonly string[];
  /** A key that may be checked at COMMIT. */
  readonly deferrable?: true;
  /** The index that enforces it. */
  readonly index?: ObjectId;
  readonly references?: ObjectId;
}

export interface View extends SelectableBase {
  readonly kind: 'view';
  readonly query: Query;
}

export interface Matview extends SelectableBase {
  readonly kind: 'matview';
  readonly query: Query;
  readonly populated: Known<boolean>;
  /** Has been populated at some time: somebody may read it. */
  readonly everPopulated: Known<boolean>;
  /** ALTER COLUMN … SET STATISTICS, by column. */
  readonly statistics: ReadonlyMap<string, number>;
  /** Index of CLUSTER ON. */
  readonly clusteredOn?: ObjectId;
  /** A TimescaleDB continuous aggregate. */
  readonly maintenance?: Maintenance;
}

export interface Sequence extends RelationBase {
  readonly kind: 'sequence';
  readonly ownedBy?: { readonly table: ObjectId; readonly column: string };
  readonly grants: Grants;
}

export interface Index extends RelationBase {
  readonly kind: 'index';
  readonly on: ObjectId;
  readonly method: string;
  readonly columns: readonly IndexColumn[];
  readonly include: readonly string[];
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  /** Normalised text of the predicate. `WHERE true` is folded away by Postgres and is absent here (measured, facts B). */
  readonly predicate?: string;
  readonly valid: Known<boolean>;
  /** Name of the constraint it enforces. */
  readonly constraint?: string;
}

/** One key of an index: a plain column (a parenthesised bare column is one too, measured) or an expression. */
export interface IndexColumn {
  readonly column?: string;
  /** Normalised text when it is an expression. */
  readonly expression?: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly opclass?: string;
  readonly collation?: string;
}

/** A composite, enum, domain or range type that the history made. */
export interface Type extends ObjectBase {
  readonly kind: 'type';
  readonly name: Name;
  readonly form: 'composite' | 'enum' | 'domain' | 'range' | 'shell';
  /** Enum labels in order, or the domain's base type as the one element. */
  readonly detail: readonly string[];
}

export type Volatility = 'immutable' | 'stable' | 'volatile';

export interface Routine extends ObjectBase {
  readonly kind: 'routine';
  readonly name: Name;
  readonly form: 'function' | 'procedure' | 'aggregate';
  /** Input argument types as format_type prints them; `unknown` when a type is not known. */
  readonly arguments: Known<readonly string[]>;
  readonly returns: Known<string>;
  readonly language: string;
  readonly volatility: Known<Volatility>;
  /** SET clauses of the routine, by lower-case name. */
  readonly settings: ReadonlyMap<string, string>;
  /** The whole CREATE statement; its body is inside. */
  readonly statement: Statement;
  /** Offsets of the body text in `statement.sql`, without its quotes; absent for BEGIN ATOMIC and C functions. */
  readonly body?: { readonly start: number; readonly end: number };
}

export interface Trigger extends ObjectBase {
  readonly kind: 'trigger';
  readonly name: string;
  readonly on: ObjectId;
  readonly routine: Known<ObjectId>;
  /** What TG_ARGV holds. */
  readonly arguments?: readonly string[];
}

export interface Policy extends ObjectBase {
  readonly kind: 'policy';
  readonly name: string;
  readonly on: ObjectId;
}

export interface Role extends ObjectBase {
  readonly kind: 'role';
  readonly name: string;
  readonly superuser: boolean;
  /** The roles it is a member of; absent when the history did not make it. */
  readonly memberOf?: readonly string[];
}

export interface Extension extends ObjectBase {
  readonly kind: 'extension';
  readonly name: string;
}

export type Selectable = Table | View | Matview;
export type Relation = Selectable | Index | Sequence;
export type CatalogObject = Relation | Schema | Type | Routine | Trigger | Policy | Role | Extension;

/** `dependent` cannot live without `on`; pg_depend's normal, auto and internal. */
export interface Dependency {
  readonly dependent: ObjectId;
  readonly on: ObjectId;
  /** The columns of `on` that are used; absent when the whole object is, or which columns is not known. */
  readonly columns?: readonly string[];
  /** The column of `dependent` that holds on, and goes alone: of a table by its type, an attribute of a composite type by its own. */
  readonly by?: string;
  /** normal: DROP needs CASCADE; auto: goes along silently (an index with its table). */
  readonly strength: 'normal' | 'auto';
}

/** The answer of `Catalog.find`: absent only when the history itself removed it (or the world is a closed snapshot). */
export type Found<T> =
  | { readonly is: 'present'; readonly object: T }
  | { readonly is: 'absent'; readonly because?: Evidence }
  | { readonly is: 'unknown' };

/** What SET, SET ROLE and the tool's configuration decide about the session. */
export interface SessionState {
  readonly searchPath: Known<readonly string[]>;
  readonly role: Known<string>;
  /** By lower-case name, as text; only what the history sets. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A refresh that runs later, elsewhere. Its target is bound late: by name, in the catalog of the moment it runs. */
export interface RefreshSite {
  readonly target: WrittenName;
  readonly searchPath: Known<readonly string[]>;
  readonly concurrently: boolean;
  /** False for WITH NO DATA; otherwise left out. */
  readonly withData?: false;
  /** The code asks whether the view is there, or catches the error when it is not. */
  readonly guarded?: true;
  readonly by: 'routine' | 'trigger' | 'job' | 'config' | 'code';
  /** The routine or job that holds it, in words: `function refresh_all()`. */
  readonly holder: string;
  readonly holderId?: ObjectId;
  readonly span: Span;
}

/** A query that was run and takes one relation's rows from another's: EXCEPT in one direction, or a full join in both. */
export interface Comparison {
  readonly left: ObjectId;
  readonly right: ObjectId;
  readonly both: boolean;
  /** EXCEPT ALL and full joins see how often a row is there. */
  readonly countsDuplicates: boolean;
  readonly span: Span;
}

/** The state of a database at one moment. Persistent: a change copies one path, so keeping an old one is cheap. */
export interface Catalog {
  /** The major of PostgreSQL it is a catalog of; the newest known one when it does not say. */
  readonly postgres?: number;
  /** The versions of the engines of incremental maintenance that it is for; the newest known ones where it does not say. */
  readonly engineVersions?: Readonly<Partial<Record<Engine, string>>>;
  /** `closed` while every name the history used was made by it (or a snapshot was given). */
  readonly world: 'open' | 'closed';
  readonly session: SessionState;
  readonly sites: readonly RefreshSite[];
  /** Comparisons of what stores rows that the history ran so far. */
  readonly comparisons: readonly Comparison[];
  get(id: ObjectId): CatalogObject | undefined;
  /** False for an object that only a branch makes, changes or drops of which nobody knows whether it was taken: nothing may be claimed of it. */
  isCertain(id: ObjectId): boolean;
  /** The other names that a relation may have: a branch of which nobody knows whether it was taken renames or moves it. */
  otherNames(id: ObjectId): readonly Name[];
  /** A relation (table, view, matview, index, sequence share one namespace) by a written name; the search path of the session decides unless given. */
  find(name: WrittenName, searchPath?: Known<readonly string[]>): Found<Relation>;
  findSchema(name: string): Found<Schema>;
  findType(name: WrittenName): Found<Type>;
  /** Every overload visible under the name; unknown when none is. */
  findRoutines(name: WrittenName): readonly Routine[];
  objects(): Iterable<CatalogObject>;
  relations(): Iterable<Relation>;
  /** Kept apart, because rules ask for all of them. */
  triggers(): Iterable<Trigger>;
  indexesOf(relation: ObjectId): readonly Index[];
  /** Direct dependants, every strength. */
  dependants(id: ObjectId): readonly Dependency[];
  /** What `id` depends on directly. */
  dependencies(id: ObjectId): readonly Dependency[];
}
