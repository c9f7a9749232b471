import type { OutsideSite } from '../catalog/code/search.ts';
import type { Catalog, Engine, Migration, Preset, Rule, Severity } from '../model.ts';

/** What decides which rules run, how grave they are, and what of their findings is reported. */
export interface LintOptions {
  /** The Postgres major the report is about. */
  readonly postgres: number;
  readonly preset: Preset;
  /** Overrides by rule id; they win over the preset. Ids that no rule has are ignored here: the host has refused them. */
  readonly rules: Readonly<Record<string, Severity | 'off'>>;
  /** Which migrations are reported on; the others are replayed all the same. All, when absent. */
  readonly only?: (migration: Migration) => boolean;
  /** Report what a later migration repaired, too. */
  readonly allHistory: boolean;
  /** Migrations that go out together as one deploy. */
  readonly pending?: (migration: Migration) => boolean;
  /** Replay the down part of every migration on a fork after it, and report what Postgres refuses there and what CASCADE takes. */
  readonly down?: boolean;
  /** Refreshes that stand outside of the migrations: in the configuration, in the application's code. */
  readonly sites?: readonly OutsideSite[];
  /** No other refreshes run than these and those in the history. */
  readonly sitesComplete?: boolean;
  /** A saved catalog to begin with, instead of an empty database: only the migrations that are reported on are replayed, as the pending ones. */
  readonly from?: Catalog;
  /** The engines of incremental maintenance that plain materialized views are judged for, and the versions of all. */
  readonly targets?: readonly Engine[];
  readonly engineVersions?: NonNullable<Catalog['engineVersions']>;
  readonly session?: { readonly searchPath?: readonly string[]; readonly role?: string };
}

/** From the gravest to the mildest. */
export const gravity: readonly Severity[] = ['error', 'warning', 'note'];

/** The severity of a rule for a Postgres major under the options, or `off`. */
export function severityOf(rule: Rule['meta'], options: Pick<LintOptions, 'postgres' | 'preset' | 'rules'>): Severity | 'off' {
  if (options.postgres < rule.postgres.from || options.postgres > (rule.postgres.until ?? Infinity)) return 'off';
  const wanted = Object.hasOwn(options.rules, rule.id) ? options.rules[rule.id] : undefined;
  if (wanted !== undefined) return wanted;
  const own = typeof rule.severity === 'string'
    ? rule.severity
    : (rule.severity.toSorted((a, b) => b.from - a.from).find(step => step.from <= options.postgres)?.severity ?? 'off');
  if (own !== 'note' || options.preset === 'all') return own;
  return options.preset === 'ivm' && rule.ivm === true ? own : 'off';
}
