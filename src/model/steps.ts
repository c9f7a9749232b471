/** What happened: statements replayed, and the effects that rules visit. */
import type { Evidence, Known, Span } from './text.ts';
import type { Migration, Statement, Unit } from './migrations.ts';
import type { Catalog, CatalogObject, Index, Matview, Name, ObjectId, Relation, Routine, Selectable, Table, Trigger, View, WrittenName } from './catalog.ts';
import type { Query } from './query.ts';
import type { Eligibility, Misuse } from './incremental.ts';

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
  /** The engine of incremental maintenance that is used in a way it does not have. */
  readonly misuse?: Misuse;
  /** What the engine says of the query that it refuses to maintain. */
  readonly eligibility?: Eligibility;
  /** The statement inside a routine or block that is refused, and where it stands. */
  readonly inside?: Pick<Extract<Effect, { kind: 'refuse' }>, 'statement' | 'fills' | 'via'>;
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
  /** The locks that it takes and keeps until its transaction ends; none when it is refused. Worked out when asked for. */
  readonly locks: () => readonly Lock[];
  /** Set when Postgres refuses the statement; then `after` is `before` (and the transaction is aborted). */
  readonly refusal?: Refusal;
  /** Its code did something that nobody can tell, so the catalog after it may lack what it made, granted or set. */
  readonly blind?: true;
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
  | { readonly kind: 'dropObject'; readonly object: CatalogObject; readonly cascade: boolean; readonly takes: readonly CatalogObject[];
    /** The columns of surviving tables that go with their type. */
    readonly columns?: readonly { readonly table: Table; readonly column: string }[] }
  /** DROP COLUMN / DROP CONSTRAINT … CASCADE, with what it took along. */
  | { readonly kind: 'dropPart'; readonly of: Table; readonly what: string; readonly cascade: boolean; readonly takes: readonly CatalogObject[] }
  | { readonly kind: 'renameRelation'; readonly from: Relation; readonly to: Relation }
  | { readonly kind: 'changeRelation'; readonly from: Relation; readonly to: Relation; readonly what: string }
  | { readonly kind: 'grant' | 'revoke'; readonly objects: readonly CatalogObject[]; readonly privileges: readonly string[]; readonly grantees: readonly string[] }
  | { readonly kind: 'setOwner'; readonly object: CatalogObject; readonly from: Known<string>; readonly to: string }
  /** A top-level SELECT, or a CREATE … AS / REFRESH that runs its query, reads these relations (views looked through). */
  | { readonly kind: 'readRelations'; readonly reads: readonly { readonly relation: Selectable; readonly span: Span }[] }
  /** `create_immv` and `restore_immv`; `create_stream_table` and its kin; `WITH (timescaledb.continuous)`. No other effect announces what they make. */
  | { readonly kind: 'createImmv'; readonly table: Table }
  | { readonly kind: 'createStreamTable'; readonly table: Table; readonly replaced?: Table }
  | { readonly kind: 'createContinuousAggregate'; readonly matview: Matview }
  /** What an engine was told about a relation that it maintains: `what` names the function or the option. */
  | { readonly kind: 'changeMaintenance'; readonly from: Table; readonly to: Table; readonly what: string }
  /** Postgres runs the statement, and the engine does not do what it says. */
  | { readonly kind: 'misuseEngine'; readonly misuse: Misuse }
  | { readonly kind: 'setParameter'; readonly name: string; readonly value: Known<string>; readonly local: boolean }
  | { readonly kind: 'begin' | 'commit' }
  /** Postgres refuses the statement: the only effect of its step. `target` is what the statement names, where that is known. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly statement: 'refresh' | 'drop' | 'create' | 'alter' | 'read' | 'other'; readonly target?: Relation;
    /** The table or materialized view that it would have filled from a query. */
    readonly fills?: WrittenName }
  /** Raised after the last step of a migration (of a deploy): `start` is the catalog before its first. */
  | { readonly kind: 'endOfMigration' | 'endOfDeploy'; readonly start: Catalog; readonly steps: readonly Step[] }
  | { readonly kind: 'endOfHistory' }
);
