/** A repository as its migration tool reads it: histories, migrations, units, statements. */
import type { Evidence, Gap, Known, Span } from './text.ts';

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
  /** The runs of `sql` that a source holds, in order. Absent where the statement stands in its file as it is sent, which is nearly always. */
  readonly origins?: readonly Origin[];
  readonly ignores: readonly Ignore[];
  /** The lines of a COPY … FROM STDIN that stand beneath it in the script, as psql sends them; absent elsewhere. */
  readonly data?: string;
}

/** `-- mvlint-ignore <rule>[, <rule>]: <reason>` above or at the end of a statement, or `mvlint-ignore-file`. */
export interface Ignore {
  readonly span: Span;
  readonly scope: 'statement' | 'file';
  /** Inside of a body or literal: the statement there that it stands at, which alone it covers. */
  readonly of?: Span;
  readonly rules: readonly string[];
  /** Empty when the author gave none: then it suppresses nothing and is a finding itself. */
  readonly reason: string;
}
