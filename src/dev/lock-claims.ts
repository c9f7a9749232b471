/** What the replay claims that a statement locks, and what a real server says that it holds. */
import { strongest } from '../catalog/locks.ts';
import { replay } from '../catalog/replay.ts';
import { isRelation } from '../catalog/names.ts';
import type { Catalog, LockMode, Step } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { lockSchema } from './lock-statements.ts';

/** A client of a server, or PGlite. */
export interface Client {
  query<T extends object>(sql: string, parameters?: unknown[]): Promise<{ readonly rows: T[] }>;
}

/** The strongest mode by relation, under the name it had before the statement (a new relation under its own). */
export type Held = Readonly<Record<string, LockMode>>;

/** What whoever merely uses a sequence takes: the default of a column, a grant. The replay claims none of it. */
const merelyUsed: readonly LockMode[] = ['AccessShareLock', 'RowShareLock', 'RowExclusiveLock'];

/** A relation of the user; `of` is what an index is on. */
export interface KnownRelation {
  readonly name: string;
  readonly kind: 'index' | 'sequence' | 'other';
  readonly of?: string;
}

/**
 * Left out are the locks that nobody can meet: whoever uses an index locks its relation as well, so a lock on the index matters only
 * where it is the stronger one, and nobody uses an index or sequence that is being made.
 */
function summary(seen: readonly (KnownRelation & { readonly mode: LockMode; readonly isNew: boolean })[]): Held {
  const modes = new Map<string, LockMode>();
  for (const { name, kind, mode, isNew } of seen) {
    if (kind === 'sequence' && (isNew || merelyUsed.includes(mode))) continue;
    modes.set(name, strongest([mode, ...modes.has(name) ? [modes.get(name)!] : []])!);
  }
  const shown = new Map(modes);
  for (const { name, kind, of, isNew } of seen) {
    if (kind !== 'index') continue;
    const own = of === undefined ? undefined : modes.get(of);
    if (isNew || (own !== undefined && strongest([own, modes.get(name)!]) === own)) shown.delete(name);
  }
  return Object.fromEntries([...shown].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The catalog of the schema, replayed once for a major. */
export function schemaCatalog(postgres: number): Catalog {
  const { histories } = readHistories(memoryFiles({ 'db/001.sql': `${lockSchema.join(';\n')};` }), { tool: 'psql' });
  const replayed = replay(histories[0]!, { postgres, role: 'postgres' });
  for (let next = replayed.next(); ; next = replayed.next()) if (next.done) return next.value;
}

/** What the replay claims of the statement on a catalog; undefined when it predicts a refusal. Inside a transaction block unless told. */
export function claimedLocks(sql: string, from: Catalog, block = true): Held | undefined {
  const files = memoryFiles({ 'db/001.sql': block ? `BEGIN;\n${sql};\nCOMMIT;` : `${sql};` });
  const { histories } = readHistories(files, { tool: 'psql' });
  let step: Step | undefined;
  for (const { steps } of replay(histories[0]!, { from, postgres: from.postgres ?? 18 })) step = steps.at(block ? 1 : 0);
  if (step === undefined) throw new Error(`no step: ${sql}`);
  const { before, after, refusal } = step;
  if (refusal) return undefined;
  return summary(step.locks().flatMap(({ relation, mode }) => {
    const object = before.get(relation) ?? after.get(relation);
    if (!isRelation(object)) return [];
    const on = object.kind === 'index' ? before.get(object.on) : undefined;
    const kind = object.kind === 'index' || object.kind === 'sequence' ? object.kind : 'other' as const;
    const of = isRelation(on) ? { of: on.name.name } : {};
    return [{ name: object.name.name, kind, mode, isNew: before.get(relation) === undefined, ...of }];
  }));
}

/** The user's relations by OID, with the relation of an index. Temporary ones and TOAST are none of the replay's. */
export async function relationNames(client: Client): Promise<ReadonlyMap<number, KnownRelation>> {
  const { rows } = await client.query<{ oid: number; name: string; relkind: string; of: string | null }>(`
    SELECT c.oid, c.relname AS name, c.relkind, t.relname AS of FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_index AS i ON i.indexrelid = c.oid LEFT JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE nspname IN ('public', 'archive')`);
  return new Map(rows.map(({ oid, name, relkind, of }) => [oid, {
    name, kind: relkind === 'i' || relkind === 'I' ? 'index' : relkind === 'S' ? 'sequence' : 'other', ...(of === null ? {} : { of }),
  }]));
}

/** What a backend holds or asks for on relations of the user, as any session sees it; `names` are those before the statement. */
export async function heldLocks(client: Client, pid: number, names: ReadonlyMap<number, KnownRelation>): Promise<Held> {
  const { rows } = await client.query<{ relation: number; mode: LockMode }>(
    "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND database <> 0 AND pid = $1", [pid]);
  const made = await relationNames(client);
  return summary(rows.flatMap(({ relation, mode }) => {
    const old = names.get(relation);
    const relationOf = old ?? made.get(relation);
    return relationOf ? [{ ...relationOf, mode, isNew: old === undefined }] : [];
  }));
}

/** The same for a statement in a transaction that is rolled back. Rejects with what Postgres says when it refuses. */
export async function locksTaken(client: Client, sql: string, names: ReadonlyMap<number, KnownRelation>): Promise<Held> {
  const { rows: [own] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await client.query('BEGIN');
  try {
    await client.query(sql);
    return await heldLocks(client, own!.pid, names);
  } finally {
    await client.query('ROLLBACK');
  }
}
