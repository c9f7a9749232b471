/** What somebody's database says of its materialized views. Plain data. */
import type { Name, Volatility } from './catalog.ts';
import type { Known, Unknown } from './text.ts';
import type { Verdict } from './proof.ts';

export interface ObservedIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly valid: boolean;
  /** REFRESH … CONCURRENTLY can use it: unique, valid, plain columns only, no WHERE. */
  readonly usable: boolean;
  /** Its plain key columns, in order. */
  readonly columns: readonly string[];
  /** Since the statistics were reset. */
  readonly scans: Known<number>;
}

/** One materialized view. What the role may not see is unknown, and says which right is missing. */
export interface ObservedView {
  readonly name: Name;
  readonly owner: string;
  readonly populated: boolean;
  /** The planner's estimate (pg_class.reltuples); unknown until somebody analyzes it. */
  readonly rows: Known<number>;
  /** With indexes and TOAST. */
  readonly bytes: Known<number>;
  readonly indexes: readonly ObservedIndex[];
  /** The share of NULLs (0 to 1) in each column, from pg_stats. */
  readonly nulls: Known<readonly { readonly column: string; readonly fraction: number }[]>;
  /** Views and materialized views that read it. */
  readonly dependants: readonly Name[];
  readonly grants: readonly { readonly grantee: string; readonly privileges: readonly string[] }[];
  /** What it reads itself that its owner may not read: every refresh fails there. */
  readonly unreadable: readonly Name[];
  /** The owner may make temporary tables, as a concurrent refresh does. */
  readonly ownerMakesTemporary: boolean;
  /** Every routine in the stored rule tree, those of plain views beneath included. */
  readonly routines: readonly { readonly name: Name; readonly volatility: Volatility; readonly builtin: boolean }[];
  /** When it was analyzed last, as the server prints it. */
  readonly analyzed: Known<string>;
  /** Scans of it since the statistics were reset. */
  readonly scans: Known<number>;
  /** Sessions that read it at this moment, and sessions that wait for a lock on it. */
  readonly readers: number;
  readonly waiting: number;
  /** Somebody holds the lock of a refresh or of DDL on it at this moment. */
  readonly locked: boolean;
  /** What one refresh reads, from pg_class: tables beneath, their pages as bytes, their rows where all were analyzed. */
  readonly cost: { readonly tables: number; readonly bytes: number; readonly rows: Known<number> };
  /** The planner's own cost and rows of its query; only where it was asked for and is safe. */
  readonly plan?: Known<{ readonly cost: number; readonly rows: number }>;
  /** What pg_trickle says of its query, where it is installed. */
  readonly trickle?: Known<readonly { readonly check: string; readonly result: string; readonly severity: string }[]>;
}

/** Somebody's database: read only, bounded in time. */
export interface Server {
  readonly postgres: number;
  /** Standbys that stream from it now. */
  readonly replicas: Known<number>;
  /** pg_ivm, pg_trickle, timescaledb, pg_cron, with their versions. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Undefined when the database has no materialized view of that name; unknown when it could not be asked. */
  view(name: Name): Promise<ObservedView | Unknown | undefined>;
}

/** A claim held against a database that has what the claim is about. */
export type Observe = (server: Server) => Promise<Verdict>;
