/** Rules, what they say, and the report. */
import type { Edit, Evidence, Gap, Known, Span } from './text.ts';
import type { ToolId } from './migrations.ts';
import type { Catalog, Matview, Relation, Table, View } from './catalog.ts';
import type { Eligibility, Engine } from './incremental.ts';
import type { QueryFacts } from './query.ts';
import type { Effect, Step } from './steps.ts';
import type { Experiment, Verdict } from './proof.ts';
import type { Observe } from './server.ts';

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
  /** A note that the preset ivm turns on. */
  readonly ivm?: true;
  /** Prose-only rule: raised by the reader, the engine or the live mode. */
  readonly raisedBy?: 'read' | 'engine' | 'live';
}

export interface Rule {
  readonly meta: Meta;
  /** `endOfDeploy` is asked of the deploys in which one of these happened, or that left other refresh sites (`sites`); of every deploy without the list. */
  readonly deploysWith?: readonly (Effect['kind'] | 'sites')[];
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
  /** The engines of incremental maintenance that the configuration names as a target. */
  readonly targets: readonly Engine[];
  /** What an engine says of a relation's query, by default in the catalog after the step: a view's, or what it maintains. pg_trickle's mode is the one that was asked for. */
  readonly eligibility: (relation: View | Matview | Table, engine: Engine, catalog?: Catalog) => Eligibility | undefined;
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
  /** Fixes that depend on what comes after are asked for once, with the catalog at the end of the history. */
  readonly fixes?: readonly Fix[] | ((end: Catalog) => readonly Fix[]);
  readonly experiment?: Experiment;
  /** Held against somebody's database that has seen the migration; it only reads. */
  readonly observe?: Observe;
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
  /** SHA-256 of rule, history, relation, normalised text of the last evidence's statement, and an ordinal among equals. Made when it is first read. */
  readonly fingerprint: string;
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

/** A finding with the experiment that can prove it; `ordinal` is the position of its step in the history. */
export interface Claim {
  readonly finding: Finding;
  readonly ordinal: number;
  readonly experiment: Experiment;
}
