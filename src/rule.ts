/**
 * The door for rules: everything a rule may use, and nothing else. A rule is one file that calls `rule({ … })`; outside authors import
 * this module as `mvlint/rule`.
 */
import type {
  Catalog, CatalogObject, Context, Effect, Evidence, Experiment, Index, IndexColumn, Known, Laboratory, Matview, Meta, Name, ObjectId,
  RefreshSite, Relation, Rows, Rule, Selectable, Span, SqlFailure, Step, Unknown, Verdict,
} from './model.ts';
import { quoteIdent, quoteLiteral, quoteName } from './sql/print.ts';

export type * from './model.ts';
export { quoteLiteral, quoteName };

/** What a rule file gives: its prose, and the check unless another part of mvlint raises it. */
export type RuleDefinition = Meta & { readonly check?: Rule['check'] };

/** Makes a rule of its prose and its check. A rule without a check says in `raisedBy` who raises it. */
export function rule(definition: RuleDefinition): Rule {
  const { check = {}, ...meta } = definition;
  return { meta, check };
}

// ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A name as a reader knows it: quoted only where SQL demands it, the schema only when it is not public. */
export function quote(name: string | Name): string {
  return typeof name === 'string' ? quoteIdent(name) : quoteName(name);
}

/** A name with its schema, for SQL that must not depend on a search path. */
export function qualified(name: Name): string {
  return `${quoteIdent(name.schema)}.${quoteIdent(name.name)}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `index a`, `indexes a and b`. */
export function count(one: string, many: string, words: readonly string[]): string {
  return `${words.length === 1 ? one : many} ${list(words)}`;
}

const kindWords: Readonly<Record<CatalogObject['kind'], string>> = {
  table: 'table', view: 'view', matview: 'materialized view', sequence: 'sequence', index: 'index', schema: 'schema', type: 'type',
  routine: 'function', trigger: 'trigger', policy: 'policy', role: 'role', extension: 'extension',
};

/** An object with its kind, as in `materialized view shop.sales` and `function refresh_all()`. */
export function describe(object: CatalogObject): string {
  if (object.kind === 'routine') return `${object.form} ${quote(object.name)}()`;
  return `${kindWords[object.kind]} ${quote(object.name)}`;
}

/** The columns of a key in brackets. */
export function keyText(columns: readonly string[]): string {
  return `(${columns.map(column => quoteIdent(column)).join(', ')})`;
}

/** An index by what it does: `unique index sales_day_key (day)`. */
export function describeIndex(index: Index): string {
  const keys = index.columns.map(({ column, expression }) => (column !== undefined ? quoteIdent(column) : expression ?? '…'));
  const predicate = index.predicate === undefined ? '' : ` where ${index.predicate}`;
  return `${index.unique ? 'unique ' : ''}index ${quote(index.name.name)} (${keys.join(', ')})${predicate}`;
}

// ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether a fact is missing. */
export function isUnknown<T>(fact: Known<T>): fact is Unknown {
  return typeof fact === 'object' && fact !== null && 'unknown' in fact;
}

/** The fact, or undefined when it is missing. */
export function known<T>(fact: Known<T>): T | undefined {
  return isUnknown(fact) ? undefined : fact;
}

/** A place and what it shows. */
export function evidence(span: Span, says: string): Evidence {
  return { span, says };
}

/** Where an object was made, as evidence; nothing for what the catalog began with. */
export function madeAt(object: CatalogObject | undefined, says: string): readonly Evidence[] {
  return object?.madeAt ? [{ span: object.madeAt, says }] : [];
}

/** Whether two places are the same. */
export function sameSpan(a: Span, b: Span): boolean {
  return a.path === b.path && a.start === b.start && a.end === b.end;
}

const sameName = (a: Name, b: Name): boolean => a.schema === b.schema && a.name === b.name;

export function isSelectable(object: CatalogObject | undefined): object is Selectable {
  return object?.kind === 'table' || object?.kind === 'view' || object?.kind === 'matview';
}

const siteSets = new WeakMap<readonly RefreshSite[], ReadonlySet<RefreshSite>>();

/** Asks whether a refresh site stands in a catalog, unchanged: catalogs share the sites that no statement touched. */
export function sitesOf(catalog: Catalog): (site: RefreshSite) => boolean {
  const sites = siteSets.get(catalog.sites) ?? new Set(catalog.sites);
  siteSets.set(catalog.sites, sites);
  return site => sites.has(site);
}

// ── Indexes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Why REFRESH … CONCURRENTLY passes over an index, or undefined when it takes it (measured, facts B). */
export function unusable(index: Index): string | undefined {
  if (!index.unique) return 'it is not unique';
  if (index.predicate !== undefined) return 'it has a WHERE clause';
  if (index.columns.some(column => column.column === undefined)) return 'it contains an expression';
  return index.valid === false ? 'it is invalid' : undefined;
}

/** The indexes that REFRESH … CONCURRENTLY can use: unique, no predicate, plain columns only, valid. */
export function usableUniqueIndexes(matview: Matview, catalog: Catalog): readonly Index[] {
  return catalog.indexesOf(matview.id).filter(index => unusable(index) === undefined);
}

/** Whether CONCURRENTLY finds an index; unknown while nobody knows whether the only candidate is valid. */
export function hasUsableUniqueIndex(matview: Matview, catalog: Catalog): Known<boolean> {
  const candidates = usableUniqueIndexes(matview, catalog);
  if (candidates.some(index => index.valid === true)) return true;
  return candidates.length === 0 ? false : { unknown: `whether ${quote(candidates[0]!.name)} is valid` };
}

/** What stands where a usable unique index is missing: the unique indexes that are passed over, each with its reason. */
export function passedOver(matview: Matview, catalog: Catalog): string {
  const near = catalog.indexesOf(matview.id).filter(index => index.unique && unusable(index) !== undefined);
  return list(near.map(index => `${quote(index.name.name)} is passed over because ${unusable(index)}`));
}

const sameKey = (a: IndexColumn, b: IndexColumn): boolean =>
  a.column === b.column && a.expression === b.expression && a.opclass === b.opclass && a.collation === b.collation;
const sameOrder = (a: IndexColumn, b: IndexColumn): boolean => a.descending === b.descending && a.nullsFirst === b.nullsFirst;

/**
 * Whether two indexes serve the same queries and the same refreshes, whatever their names. The direction counts only with several columns:
 * an index over one column is read from either end.
 */
export function equivalentIndex(a: Index, b: Index): boolean {
  return a.unique === b.unique && a.method === b.method && a.predicate === b.predicate && a.nullsNotDistinct === b.nullsNotDistinct
    && a.columns.length === b.columns.length && [...a.include].sort().join('\0') === [...b.include].sort().join('\0')
    && a.columns.every((column, at) => sameKey(column, b.columns[at]!) && (a.columns.length === 1 || sameOrder(column, b.columns[at]!)));
}

// ── Views that took over a name ─────────────────────────────────────────────────────────────────────────────────────

type End = Effect & { readonly kind: 'endOfMigration' | 'endOfDeploy' };
type Happening = { readonly effect: Effect; readonly step: Step };

/** Everything that happened, in order. */
export function* happenings(steps: readonly Step[]): Iterable<Happening> {
  for (const step of steps) for (const effect of step.effects) yield { effect, step };
}

/** A name that a materialized view in use had at the start and another object has at the end. */
export interface Replacement {
  readonly old: Matview;
  readonly now: Selectable;
  /** What took the name from the old one, and what gave it to the new one. */
  readonly taken: Happening;
  readonly given: Happening;
  /** The drop of the old one, under whatever name. */
  readonly dropped?: Happening;
}

/** The ids that an effect takes a name from: dropped, taken along by CASCADE, or renamed. */
function unnamed(effect: Effect): readonly ObjectId[] {
  if (effect.kind === 'dropObject') return [effect.object.id, ...effect.takes.map(object => object.id)];
  if (effect.kind === 'dropPart') return effect.takes.map(object => object.id);
  return effect.kind === 'renameRelation' && !sameName(effect.from.name, effect.to.name) ? [effect.from.id] : [];
}

/** The object that an effect makes, or gives a name to. */
function named(effect: Effect): Relation | undefined {
  if (effect.kind === 'createMatview') return effect.matview;
  if (effect.kind === 'createView') return effect.view;
  if (effect.kind === 'createTable') return effect.table;
  return effect.kind === 'renameRelation' ? effect.to : undefined;
}

/** The names that changed hands between the start and the end, where the view that had them was in use. */
export function replacements(end: End, context: Context): readonly Replacement[] {
  const all = [...happenings(end.steps)];
  const ids = new Set(all.flatMap(({ effect }) => unnamed(effect)));
  return [...ids].flatMap(id => {
    const old = end.start.get(id);
    if (old?.kind !== 'matview' || context.inUse(old) !== true) return [];
    const found = context.step.after.find(old.name);
    const now = found.is === 'present' ? found.object : undefined;
    if (!isSelectable(now) || now.id === id) return [];
    const isDrop = ({ effect }: Happening): boolean => effect.kind !== 'renameRelation' && unnamed(effect).includes(id);
    const taken = all.find(({ effect }) => unnamed(effect).includes(id)
      && (effect.kind !== 'renameRelation' || sameName(effect.from.name, old.name)));
    const given = all.findLast(({ effect }) => named(effect)?.id === now.id && sameName(named(effect)!.name, old.name));
    const dropped = all.find(isDrop);
    return taken && given ? [{ old, now, taken, given, ...(dropped ? { dropped } : {}) }] : [];
  });
}

/** How the name went, in words. */
export function takenWords({ old, taken }: Replacement): string {
  const { effect } = taken;
  if (effect.kind === 'renameRelation') return `${quote(old.name)} is renamed to ${quote(effect.to.name)}`;
  const named = effect.kind === 'dropObject' && effect.object.id === old.id;
  return named ? `${quote(old.name)} is dropped` : `${quote(old.name)} is dropped by CASCADE`;
}

/** How the name came back, in words. */
export function givenWords({ old, given }: Replacement): string {
  const { effect } = given;
  if (effect.kind === 'renameRelation') return `${quote(effect.from.name)} is renamed to ${quote(old.name)}`;
  return `${quote(old.name)} is created again`;
}

/** The indexes of the old view that the new one could have and has not; invalid ones and those over columns that are gone do not count. */
export function lostIndexes({ old, now }: Replacement, before: Catalog, after: Catalog): readonly Index[] {
  const columns = known(now.columns)?.map(column => column.name);
  const present = after.indexesOf(now.id);
  return before.indexesOf(old.id).filter(index => index.valid !== false && !present.some(other => equivalentIndex(index, other))
    && index.columns.every(({ column }) => column === undefined || columns === undefined || columns.includes(column)));
}

// ── Experiments ─────────────────────────────────────────────────────────────────────────────────────────────────────

const failed = (answer: Rows | SqlFailure): answer is SqlFailure => 'sqlstate' in answer;
const unproven = (says: string): Verdict => ({ kind: 'unproven', says });

/** The one value of a one-row answer as a number; undefined when Postgres refused. */
async function numberOf(lab: Laboratory, sql: string): Promise<number | undefined> {
  const answer = await lab.run(sql);
  const value = failed(answer) ? undefined : Object.values(answer.rows[0] ?? {})[0];
  return value === undefined || value === null ? undefined : Number(value);
}

/** Runs a statement that the claim says Postgres refuses. */
async function refusal(lab: Laboratory, sql: string, sqlstate: string): Promise<Verdict> {
  const answer = await lab.run(sql);
  if (!failed(answer)) return { kind: 'refuted', says: 'Postgres accepted the statement.' };
  if (answer.sqlstate === sqlstate) return { kind: 'confirmed', says: `Postgres answers ${sqlstate}: ${answer.message}.` };
  return unproven(`Postgres refuses it with ${answer.sqlstate} instead: ${answer.message}.`);
}

/** The statement of the step is refused with this SQLSTATE. */
export function refuses(step: Step, sqlstate: string): Experiment {
  return { at: 'before', isolation: 'savepoint', run: lab => refusal(lab, step.statement.sql, sqlstate) };
}

/** After the step, a refresh of this view is refused with this SQLSTATE. `populate` first, where the claim is about a view with rows. */
export function refreshRefused(name: Name, concurrently: boolean, sqlstate: string, populate = false): Experiment {
  return {
    at: 'after', isolation: 'savepoint',
    run: async lab => {
      const first = populate ? await lab.run(`REFRESH MATERIALIZED VIEW ${qualified(name)}`) : undefined;
      if (first && failed(first)) return unproven(`The view could not be filled: ${first.message}.`);
      return refusal(lab, `REFRESH MATERIALIZED VIEW ${concurrently ? 'CONCURRENTLY ' : ''}${qualified(name)}`, sqlstate);
    },
  };
}

/** A statement holds ACCESS EXCLUSIVE on the relation until its transaction ends: `sql` is run and pg_locks is read before and after. */
export function locksOut(name: Name, sql: string, at: 'before' | 'after'): Experiment {
  return {
    at, isolation: 'savepoint',
    run: async lab => {
      const oid = await numberOf(lab, `SELECT to_regclass(${quoteLiteral(qualified(name))})::oid`);
      if (oid === undefined) return unproven(`There is no ${quote(name)} to lock.`);
      const locks = `SELECT count(*) FROM pg_locks WHERE relation = ${oid} AND mode = 'AccessExclusiveLock' AND granted`;
      const before = await numberOf(lab, locks);
      if (before !== 0) {
        // The claim's own transaction is still open: what it dropped is gone from its view, and its lock is not.
        const dropped = await numberOf(lab, `SELECT count(*) FROM pg_locks AS l WHERE mode = 'AccessExclusiveLock' AND granted
          AND locktype = 'relation' AND NOT EXISTS (SELECT FROM pg_class WHERE oid = l.relation) AND relation <> ${oid}`);
        return dropped === undefined || dropped === 0 ? unproven('The transaction holds the lock already.')
          : { kind: 'confirmed', says: `The open transaction still holds AccessExclusiveLock on the ${quote(name)} that it dropped.` };
      }
      const answer = await lab.run(sql);
      if (failed(answer)) return unproven(`Postgres refuses the statement here: ${answer.message}.`);
      return await numberOf(lab, locks) === 1
        ? { kind: 'confirmed', says: `The statement holds AccessExclusiveLock on ${quote(name)}, which even a SELECT waits for.` }
        : { kind: 'refuted', says: `After the statement no AccessExclusiveLock is held on ${quote(name)}.` };
    },
  };
}

/** A query that counts an object by name: 1 or 0. Undefined for kinds that no CASCADE names. */
function existence(object: CatalogObject): string | undefined {
  switch (object.kind) {
    case 'routine': return `SELECT least(count(*), 1) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
      WHERE p.proname = ${quoteLiteral(object.name.name)} AND n.nspname = ${quoteLiteral(object.name.schema)}`;
    case 'type': return `SELECT count(*) FROM (SELECT to_regtype(${quoteLiteral(qualified(object.name))}) AS t) AS x WHERE t IS NOT NULL`;
    case 'schema': return `SELECT count(*) FROM pg_namespace WHERE nspname = ${quoteLiteral(object.name)}`;
    case 'extension': return `SELECT count(*) FROM pg_extension WHERE extname = ${quoteLiteral(object.name)}`;
    case 'trigger': return `SELECT count(*) FROM pg_trigger WHERE tgname = ${quoteLiteral(object.name)}`;
    case 'policy': return `SELECT count(*) FROM pg_policy WHERE polname = ${quoteLiteral(object.name)}`;
    case 'role': return undefined;
    default: return `SELECT count(*) FROM (SELECT to_regclass(${quoteLiteral(qualified(object.name))}) AS c) AS x WHERE c IS NOT NULL`;
  }
}

/** The statement of the step takes these objects away; each is counted before and after. */
export function takesAlong(step: Step, objects: readonly CatalogObject[]): Experiment {
  const total = async (lab: Laboratory): Promise<number> => {
    let sum = 0;
    for (const sql of objects.map(existence)) if (sql !== undefined) sum += await numberOf(lab, sql) ?? 0;
    return sum;
  };
  return {
    at: 'before', isolation: 'savepoint',
    run: async lab => {
      const before = await total(lab);
      const answer = await lab.run(step.statement.sql);
      if (failed(answer)) return unproven(`Postgres refuses the statement here: ${answer.message}.`);
      const gone = before - await total(lab);
      const numbers = { before, gone };
      if (before < objects.length)
        return { kind: 'unproven', says: `Only ${before} of ${objects.length} objects were there before.`, numbers };
      if (gone === before) return { kind: 'confirmed', says: `The statement took ${gone} of ${before} objects along.`, numbers };
      return { kind: gone === 0 ? 'refuted' : 'unproven', says: `${gone} of ${before} objects went with the statement.`, numbers };
    },
  };
}

/**
 * One count, taken after the step: `confirmed` when it is what the claim says. The claim's SQL holds its own control and answers NULL
 * without it.
 */
export function countsAfter(sql: string, expected: number, says: string, otherwise: string): Experiment {
  return {
    at: 'after', isolation: 'savepoint',
    run: async lab => {
      const seen = await numberOf(lab, sql);
      if (seen === undefined) return unproven('The objects of the claim are not there.');
      return seen === expected ? { kind: 'confirmed', says } : { kind: 'refuted', says: otherwise };
    },
  };
}

/** CREATE … IF NOT EXISTS left the old query: the new one is created beside it and Postgres prints both. */
export function keepsDefinition(step: Step, name: Name, query: string, columns: readonly string[]): Experiment {
  const definition = (relation: string): string => `SELECT pg_get_viewdef(${quoteLiteral(relation)}::regclass) AS text`;
  const text = (answer: Rows | SqlFailure): string => (failed(answer) ? '' : String(answer.rows[0]?.['text'] ?? ''));
  const control = 'mvlint_new_definition';
  return {
    at: 'before', isolation: 'savepoint',
    run: async lab => {
      const names = columns.length > 0 ? ` ${keyText(columns)}` : '';
      const made = await lab.run(`CREATE MATERIALIZED VIEW ${control}${names} AS ${query} WITH NO DATA`);
      const answer = await lab.run(step.statement.sql);
      const refused = [made, answer].find(failed);
      if (refused) return unproven(`Postgres refuses the statement here: ${refused.message}.`);
      const kept = text(await lab.run(definition(qualified(name))));
      return kept === text(await lab.run(definition(control)))
        ? { kind: 'refuted', says: 'Postgres prints the same query for both definitions.' }
        : { kind: 'confirmed', says: `After the statement ${quote(name)} still has its old definition.` };
    },
  };
}

/** What it takes to see a value change: the next transaction, the next day, or rows that have moved. */
export type Flip = 'each refresh' | 'each day' | 'when rows move';

/** A no-op UPDATE gives every row a new place. */
async function moveRows(lab: Laboratory, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const columns = await lab.run(`SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = ${quoteLiteral(table)}::regclass
      AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' LIMIT 1`);
    const column = failed(columns) ? undefined : columns.rows[0]?.['name'];
    if (typeof column === 'string') await lab.run(`UPDATE ${table} SET ${column} = ${column}`);
  }
}

/**
 * Refreshes twice with nothing written in between and counts the values of one column that differ. On a copy, each refresh in its own
 * transaction, because now() stands still inside one. The next day is played by the time zone: 26 hours lie between the two (facts C3).
 * Control for a refutation: a view over the same rows with clock_timestamp() in it, refreshed and counted alike.
 */
export function refreshTwice(matview: Matview, column: string, flip: Flip): Experiment {
  const name = qualified(matview.name);
  const clock = `SELECT clock_timestamp() AS value FROM ${name}`;
  const refresh = (view: string): string => `REFRESH MATERIALIZED VIEW ${view}`;
  const zones = flip === 'each day' ? ['Etc/GMT+12', 'Etc/GMT-14'] : [];
  const differing = (table: string): string =>
    `SELECT count(*) FROM (SELECT value FROM ${table}_1 EXCEPT ALL SELECT value FROM ${table}_2) AS changed`;
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      const filled = await lab.fill(matview.name, 100);
      const set = async (at: number): Promise<void> => { if (zones[at] !== undefined) await lab.run(`SET TimeZone = '${zones[at]}'`); };
      const steps = async (at: 1 | 2): Promise<SqlFailure | undefined> => {
        await set(at - 1);
        for (const sql of [
          refresh(name), `CREATE TABLE mvlint_seen_${at} AS SELECT ${quoteIdent(column)}::text AS value FROM ${name}`,
          at === 2 ? refresh('mvlint_control') : `CREATE MATERIALIZED VIEW mvlint_control AS ${clock}`,
          `CREATE TABLE mvlint_clock_${at} AS SELECT value FROM mvlint_control`,
        ]) {
          const answer = await lab.run(sql);
          if (failed(answer)) return answer;
        }
        return undefined;
      };
      const first = await steps(1);
      if (!first && flip === 'when rows move') await moveRows(lab, Object.keys(filled));
      const second = first ?? await steps(2);
      if (second) return unproven(`The view could not be refreshed twice: ${second.message}.`);
      const rows = await numberOf(lab, 'SELECT count(*) FROM mvlint_seen_1') ?? 0;
      const rowsChanged = await numberOf(lab, differing('mvlint_seen')) ?? 0;
      const control = await numberOf(lab, differing('mvlint_clock')) ?? 0;
      const numbers = { rows, rowsChanged };
      if (rowsChanged > 0) {
        const between = flip === 'each day' ? 'the day turned' : flip === 'each refresh' ? 'nothing was written' : 'rows only moved';
        const says = `${rowsChanged} of ${rows} values differ after a second refresh; between the two ${between}.`;
        return { kind: 'confirmed', says, numbers };
      }
      if (rows === 0 || control === 0) return { kind: 'unproven', says: 'The view has no rows to compare.', numbers };
      return { kind: 'refuted', says: `None of ${rows} values differs after a second refresh; a clock beside them did.`, numbers };
    },
  };
}
