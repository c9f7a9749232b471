/**
 * The vocabulary of mvlint: types only, no code, no imports. Every layer speaks in these words.
 *
 * Offsets are UTF-16 code units, half-open. Identifiers in `Name` are as the catalog stores them (already folded).
 * A fact that may be missing is `Known<T>`; whoever meets `Unknown` stays silent.
 */

// ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A half-open range of UTF-16 units in one source file; `path` is relative to the `Files` root, with `/`. */
export interface Span {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The missing fact, in words a reader understands. */
export interface Unknown {
  readonly unknown: string;
}
export type Known<T> = T | Unknown;

/** A place and what it shows. A finding's evidence leads from the cause to the effect. */
export interface Evidence {
  readonly span: Span;
  readonly says: string;
}

/** What mvlint could not see. Counted in every report, never dropped. */
export interface Gap {
  readonly span: Span;
  readonly because: string;
}

/**
 * The only way the core reads a repository. Paths are relative to the root, with `/`; what leaves the root is never read.
 * Implementations: a disk, a git tree, memory, buffers over another `Files`.
 */
export interface Files {
  /** Every file under a folder (`''` is the root), recursively, sorted by code unit; an absent folder is empty. */
  list(under: string): readonly string[];
  /** The bytes, or undefined when there is no such file or it cannot be read. */
  read(path: string): Uint8Array | undefined;
}

// ── Migrations ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The migration tools whose order and transactions mvlint models. */
export type ToolId =
  | 'psql' | 'flyway' | 'liquibase' | 'golang-migrate' | 'goose' | 'dbmate' | 'prisma' | 'drizzle' | 'supabase' | 'sqlx' | 'diesel' | 'refinery'
  | 'sqitch' | 'atlas' | 'hasura' | 'graphile-migrate' | 'tern' | 'pgmigrate';

/** One database's history. A repository may hold several; they never share a catalog. */
export interface History {
  readonly id: string;
  readonly tool: ToolId;
  /** The folder (or file) the history was found in. */
  readonly root: string;
  readonly migrations: readonly Migration[];
  /** Files of the tool's folders that belong to no migration, and why. */
  readonly ignored: readonly { readonly path: string; readonly because: string }[];
  /** What reading could not see: bytes that are not UTF-8, includes that are missing, dynamic text. */
  readonly gaps: readonly Gap[];
  /** What the reader found wrong with the files themselves; the engine makes findings of it. Absent when there is nothing. */
  readonly problems?: readonly LoadProblem[];
}

/** A mistake that only the reader sees: findings of the rules that are `raisedBy: 'read'`. */
export interface LoadProblem {
  readonly rule: string;
  readonly span: Span;
  readonly message: string;
  /** From the cause to the effect, the last one at the span; absent when the span says it all. */
  readonly evidence?: readonly Evidence[];
  /** The ignores of a file that belongs to no migration, whose statements nobody else reads. */
  readonly ignores?: readonly Ignore[];
}

export interface Migration {
  /** The tool's own name of it: stable, unique in the history. */
  readonly id: string;
  /** The main source file. */
  readonly path: string;
  /** `repeatable` is replayed again whenever it changes, after all versioned ones. */
  readonly kind: 'versioned' | 'repeatable';
  /** Migrations with the same number go out together. By default each has its own. */
  readonly deploy: number;
  /** Present and unchanged at the merge base; unknown when nobody asked git. */
  readonly shipped: Known<boolean>;
  readonly up: readonly Unit[];
  readonly down?: readonly Unit[];
}

/** One round trip to the server inside one transaction scope: what decides implicit transactions. */
export interface Unit {
  /** `migration` and `batch`: an explicit transaction around all units with the same `scopeId`; `none`: no explicit one. */
  readonly scope: 'batch' | 'migration' | 'none';
  readonly scopeId: string;
  /** `single`: each statement alone; `simple-string`: one message, implicit transaction when it holds several statements; `pipeline`: one Sync. */
  readonly protocol: 'single' | 'simple-string' | 'pipeline';
  readonly statements: readonly Statement[];
  /** The directive or setting that decided the scope. */
  readonly because?: Evidence;
}

/** A run of `Statement.sql` and where it stands in a source. Outside of origins (filled placeholders) the nearest origin answers. */
export interface Origin {
  /** Half-open range in `Statement.sql`. */
  readonly start: number;
  readonly end: number;
  /** Where it came from; a run of the same length maps unit by unit, any other maps whole. */
  readonly span: Span;
}

/** One SQL statement. It holds no tree: `parse(statement.sql)` is pure and cached by text. */
export interface Statement {
  /** What Postgres receives: placeholders filled or blanked, no trailing `;`. */
  readonly sql: string;
  /** From its first token to its last, without leading comments and without the `;`. */
  readonly span: Span;
  readonly origins: readonly Origin[];
  readonly ignores: readonly Ignore[];
}

/** `-- mvlint-ignore <rule>[, <rule>]: <reason>` above or at the end of a statement, or `mvlint-ignore-file`. */
export interface Ignore {
  readonly span: Span;
  readonly scope: 'statement' | 'file';
  readonly rules: readonly string[];
  /** Empty when the author gave none: then it suppresses nothing and is a finding itself. */
  readonly reason: string;
}

// ── The catalog ─────────────────────────────────────────────────────────────────────────────────────────────────────

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
}

export interface Constraint {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude';
  /** Key columns, in order; empty for table-level checks over expressions. */
  readonly columns: readonly string[];
  /** Of a check: every column that its condition names, where that is known. */
  readonly mentions?: readonly string[];
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

/** The state of a database at one moment. Persistent: a change copies one path, so keeping an old one is cheap. */
export interface Catalog {
  /** The major of PostgreSQL it is a catalog of; the newest known one when it does not say. */
  readonly postgres?: number;
  /** `closed` while every name the history used was made by it (or a snapshot was given). */
  readonly world: 'open' | 'closed';
  readonly session: SessionState;
  readonly sites: readonly RefreshSite[];
  get(id: ObjectId): CatalogObject | undefined;
  /** False for an object that only a branch makes, changes or drops of which nobody knows whether it was taken: nothing may be claimed of it. */
  isCertain(id: ObjectId): boolean;
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

// ── The defining query ──────────────────────────────────────────────────────────────────────────────────────────────

/** A defining query as text with a place; `query/` reads it. Plain data, so that a snapshot can hold it. */
export interface Query {
  /** The statement that holds it; `start`/`end` are offsets into `statement.sql`. */
  readonly statement: Statement;
  readonly start: number;
  readonly end: number;
  /** Column names given in CREATE … VIEW v (a, b), in order. */
  readonly names: readonly string[];
  /** The path its names were resolved with, at CREATE. */
  readonly searchPath: Known<readonly string[]>;
  /** Relations it reads directly, resolved at CREATE; these follow the object, not the name. Missing ones are absent here. */
  readonly reads: readonly Read[];
  /** Comparable form: tokens without comments, blanks and case of keywords. Equal means the same query text. */
  readonly normal: string;
}

export interface Read {
  readonly id: ObjectId;
  /** Columns used, or undefined when the whole row may be. */
  readonly columns?: readonly string[];
  readonly span: Span;
}

export interface OutputColumn {
  readonly name: string;
  readonly type: Known<string>;
  readonly nullable: Known<boolean>;
  readonly span: Span;
  readonly taints: readonly Taint[];
}

/** Why a value can differ between two refreshes. */
export interface Taint {
  readonly cause: 'clock' | 'random' | 'sequence' | 'session' | 'order' | 'physical' | 'transaction' | 'opaque-routine';
  readonly flips: 'each refresh' | 'each day' | 'when rows move' | 'when the session differs';
  /** The setting that decides, for values that depend on how the session is set (`TimeZone`). */
  readonly setting?: string;
  /** For `order`: an aggregate that keeps its input's order, a pick among rows, or the last digits of a floating-point sum. */
  readonly form?: 'aggregate' | 'pick' | 'float';
  /** From the origin (`now()`) to the output column. */
  readonly path: readonly [Evidence, ...Evidence[]];
}

/**
 * `yes`: no two rows agree in the columns without a NULL among them. `no`: the constraints of the tables allow rows that do. `why` leads to
 * the columns or sources that show it.
 */
export interface Unique {
  readonly is: 'yes' | 'no' | 'unknown';
  readonly why: readonly Evidence[];
}

/** What a defining query means in a catalog; computed once a view, on first asking. */
export interface QueryFacts {
  readonly columns: Known<readonly OutputColumn[]>;
  /** Candidate keys that the query proves, each a list of output column names, minimal; the shortest first. */
  readonly keys: Known<readonly (readonly string[])[]>;
  /** Whether a unique index over these columns holds whatever rows the tables have. */
  readonly unique: (columns: readonly string[]) => Unique;
  /** What decides which rows there are, and which rows an aggregate counts: conditions on the clock, random choice, picks in no fixed order. */
  readonly rows: readonly Taint[];
  /** Words such as 'now' that became a constant of the query at CREATE. */
  readonly frozen: readonly FrozenLiteral[];
  /** Calls of routines of the history, in this query itself. */
  readonly calls: readonly { readonly routine: ObjectId; readonly span: Span }[];
}

/** A text literal that Postgres reads as a date or time once, when the query is stored (measured, facts G). */
export interface FrozenLiteral {
  readonly span: Span;
  /** `now`, `today 10:00`: as it is written. */
  readonly text: string;
  /** The type it is read as, as format_type prints it. */
  readonly type: string;
}

// ── What happened ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Postgres's table-level lock modes, weakest first. */
export type LockMode =
  | 'AccessShareLock' | 'RowShareLock' | 'RowExclusiveLock' | 'ShareUpdateExclusiveLock'
  | 'ShareLock' | 'ShareRowExclusiveLock' | 'ExclusiveLock' | 'AccessExclusiveLock';

export interface Lock {
  readonly relation: ObjectId;
  readonly mode: LockMode;
}

/** Postgres will refuse this statement. */
export interface Refusal {
  readonly sqlstate: string;
  /** Postgres's own words where they are known, else ours. */
  readonly because: string;
  readonly evidence: readonly Evidence[];
  /** The relation that the refusal is about. */
  readonly relation?: ObjectId;
  /** The column of it, where the refusal is about one. */
  readonly column?: string;
  /** The code is refused on every way through it, but not for one reason: its SQLSTATE is not claimed. */
  readonly unsure?: true;
  /** The statement inside a routine or block that is refused, and where it stands. */
  readonly inside?: { readonly statement: Extract<Effect, { kind: 'refuse' }>['statement']; readonly via: Via };
}

/** How an effect came about. */
export interface Via {
  readonly kind: 'statement' | 'routine' | 'do' | 'execute' | 'job';
  /** The narrowest place that says it: inside a body or literal for everything but `statement`. */
  readonly span: Span;
  /** Where the migration calls the routine that does it, and what that call is. */
  readonly from?: Evidence;
}

/** One statement, replayed. */
export interface Step {
  readonly migration: Migration;
  readonly statement: Statement;
  /** The unit that sent it, and the position of the statement in the whole history. */
  readonly unit: Unit;
  readonly ordinal: number;
  readonly before: Catalog;
  readonly after: Catalog;
  readonly effects: readonly Effect[];
  readonly locks: readonly Lock[];
  /** Set when Postgres refuses the statement; then `after` is `before` (and the transaction is aborted). */
  readonly refusal?: Refusal;
  /** Inside a transaction block: explicit, tool-given, or implicit by protocol. Statements of one transaction share the number. */
  readonly transaction?: number;
}

export type Effect = { readonly via: Via } & (
  | { readonly kind: 'createMatview'; readonly matview: Matview; readonly withData: boolean }
  | { readonly kind: 'createView'; readonly view: View; readonly replaced?: View }
  | { readonly kind: 'createTable'; readonly table: Table }
  | { readonly kind: 'createIndex'; readonly index: Index; readonly on: Selectable; readonly concurrently: boolean }
  | { readonly kind: 'createRoutine'; readonly routine: Routine; readonly replaced?: Routine }
  | { readonly kind: 'createTrigger'; readonly trigger: Trigger }
  /** CREATE … IF NOT EXISTS over a name that is taken: nothing happened but a notice. */
  | { readonly kind: 'skipCreate'; readonly wanted: 'table' | 'matview' | 'index' | 'sequence'; readonly name: Name; readonly existing: Relation; readonly query?: Query; readonly on?: Selectable }
  | { readonly kind: 'refreshMatview'; readonly matview: Matview; readonly concurrently: boolean; readonly withData: boolean }
  /** Every DROP of a whole object, and what CASCADE took along (own indexes, constraints, rowtypes are not listed). One effect per named object. */
  | { readonly kind: 'dropObject'; readonly object: CatalogObject; readonly cascade: boolean; readonly takes: readonly CatalogObject[] }
  /** DROP COLUMN / DROP CONSTRAINT … CASCADE, with what it took along. */
  | { readonly kind: 'dropPart'; readonly of: Table; readonly what: string; readonly cascade: boolean; readonly takes: readonly CatalogObject[] }
  | { readonly kind: 'renameRelation'; readonly from: Relation; readonly to: Relation }
  | { readonly kind: 'changeRelation'; readonly from: Relation; readonly to: Relation; readonly what: string }
  | { readonly kind: 'grant' | 'revoke'; readonly objects: readonly CatalogObject[]; readonly privileges: readonly string[]; readonly grantees: readonly string[] }
  | { readonly kind: 'setOwner'; readonly object: CatalogObject; readonly from: Known<string>; readonly to: string }
  /** A top-level SELECT, or a CREATE … AS / REFRESH that runs its query, reads these relations (views looked through). */
  | { readonly kind: 'readRelations'; readonly reads: readonly { readonly relation: Selectable; readonly span: Span }[] }
  | { readonly kind: 'setParameter'; readonly name: string; readonly value: Known<string>; readonly local: boolean }
  | { readonly kind: 'begin' | 'commit' }
  /** Postgres refuses the statement: the only effect of its step. `target` is what the statement names, where that is known. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly statement: 'refresh' | 'drop' | 'create' | 'alter' | 'read' | 'other'; readonly target?: Relation }
  /** Raised after the last step of a migration (of a deploy): `start` is the catalog before its first. */
  | { readonly kind: 'endOfMigration' | 'endOfDeploy'; readonly start: Catalog; readonly steps: readonly Step[] }
  | { readonly kind: 'endOfHistory' }
);

// ── Rules and findings ──────────────────────────────────────────────────────────────────────────────────────────────

export type Severity = 'error' | 'warning' | 'note';
export type Preset = 'recommended' | 'all' | 'ivm';

/** The prose and the promise of a rule. */
export interface Meta {
  readonly id: string;
  /** One severity, or one by the oldest Postgres major it holds from. */
  readonly severity: Severity | readonly { readonly from: number; readonly severity: Severity }[];
  readonly postgres: { readonly from: number; readonly until?: number };
  /** One sentence that begins with Disallow, Require or Prefer. */
  readonly summary: string;
  readonly why: string;
  readonly fix: string;
  readonly exceptions?: string;
  readonly references: readonly string[];
  /** Prose-only rule: raised by the reader, the engine or the live mode. */
  readonly raisedBy?: 'read' | 'engine' | 'live';
}

export interface Rule {
  readonly meta: Meta;
  readonly check: { readonly [K in Effect['kind']]?: (effect: Effect & { readonly kind: K }, context: Context) => Iterable<Problem> };
}

export interface Context {
  readonly step: Step;
  /** The Postgres major the report is about. */
  readonly postgres: number;
  /** No refreshes run but those of the history and of the given sites (the configuration says so). */
  readonly sitesComplete: boolean;
  /** The catalog before the first statement of this migration, and of this deploy (what goes out together). */
  readonly migrationStart: Catalog;
  readonly deployStart: Catalog;
  /** Facts of a view's query in a catalog, by default the one after the step. */
  readonly facts: (view: View | Matview, catalog?: Catalog) => QueryFacts;
  /** Whether somebody could have used the relation before this deploy: it existed at its start, and (a matview) was ever populated. Unknown when not known. */
  readonly inUse: (relation: Relation) => Known<boolean>;
}

export interface Problem {
  readonly span: Span;
  readonly message: string;
  /** The relation it is about, as `quoteName` prints it; groups findings of one cause. */
  readonly relation?: string;
  /** From the cause to the effect, the last one at the finding. Never empty in a finding: the engine adds the finding's own place when a rule gives none. */
  readonly evidence?: readonly Evidence[];
  readonly fixes?: readonly Fix[];
  readonly experiment?: Experiment;
  /** The step that the experiment belongs to, where another one raised the problem: the end of a deploy speaks of what happened in it. */
  readonly step?: Step;
  /** Asked once, with the catalog at the end of the history: false when a later migration repaired the damage, and the finding is history. */
  readonly stillTrue?: (end: Catalog) => boolean;
}

/** Plain data: what a report holds. */
export interface Finding {
  readonly history: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly relation?: string;
  readonly evidence: readonly Evidence[];
  readonly fixes: readonly Fix[];
  /** Lesser findings of the same cause. */
  readonly also: readonly Finding[];
  readonly verdict?: Verdict;
  /** SHA-256 of rule, history, relation, normalised text of the last evidence's statement, and an ordinal among equals. */
  readonly fingerprint: string;
}

export interface Edit {
  readonly span: Span;
  readonly text: string;
}
export type Fix = { readonly title: string } & (
  | { readonly edits: readonly Edit[] }
  | { readonly files: readonly { readonly path: string; readonly text: string }[] }
);

export interface Crash {
  readonly rule: string;
  readonly path: string;
  readonly because: string;
}

export interface HistorySummary {
  readonly id: string;
  readonly tool: ToolId;
  readonly root: string;
  readonly world: 'open' | 'closed';
  readonly migrations: number;
  readonly statements: number;
}

export interface Report {
  readonly postgres: number;
  readonly histories: readonly HistorySummary[];
  /** In the order of the histories, then of the migrations, then of the text. */
  readonly findings: readonly Finding[];
  readonly gaps: readonly (Gap & { readonly history: string })[];
  readonly crashes: readonly Crash[];
  /** Findings dropped by ignores or a baseline; findings hidden because a later migration repaired them. */
  readonly suppressed: number;
  readonly hidden: number;
}

// ── Proof ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Verdict {
  readonly kind: 'unproven' | 'confirmed' | 'refuted';
  readonly says: string;
  readonly numbers?: Readonly<Record<string, number>>;
}

/** One answer of a database. */
export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What Postgres said when it refused. */
export interface SqlFailure {
  readonly sqlstate: string;
  readonly message: string;
}

/** A throwaway Postgres in the state an experiment asked for. */
export interface Laboratory {
  /** Runs one statement; a refusal is an answer, not an exception. Throws only when the laboratory itself failed. */
  run(sql: string): Promise<Rows | SqlFailure>;
  /** Fills empty base tables beneath the relation with committed rows, respecting types and keys; says how many rows each got. */
  fill(relation: Name, rows: number): Promise<Readonly<Record<string, number>>>;
}

/**
 * A claim's own proof. `savepoint` only for what one transaction can show (a refusal, what CASCADE takes); everything about time,
 * transactions or a second refresh runs on a `copy` with committed rows, because now() is fixed inside a transaction.
 */
export interface Experiment {
  /** The state it starts from: before or after the statement of its step (for end-of-migration effects: the last statement). */
  readonly at: 'before' | 'after';
  readonly isolation: 'savepoint' | 'copy';
  readonly run: (lab: Laboratory) => Promise<Verdict>;
}

/** A finding with the experiment that can prove it; `ordinal` is the position of its step in the history. */
export interface Claim {
  readonly finding: Finding;
  readonly ordinal: number;
  readonly experiment: Experiment;
}
