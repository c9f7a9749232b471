import type { CatalogObject, Experiment, Laboratory, Name, Relation, Rows, SqlFailure, Step, Verdict } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { canRefuse, canTakeAlong, canTellDefinitions, makeTwin, twinName, unlessBlind } from './controls.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { keyText, qualified, quote } from './words.ts';

/** Runs a statement that the claim says Postgres refuses. Control: another statement is refused with that SQLSTATE. */
async function refusal(lab: Laboratory, sql: string, sqlstate: string): Promise<Verdict> {
  const answer = await lab.run(sql);
  if (!failed(answer)) return unlessBlind({ kind: 'refuted', says: 'Postgres accepted the statement.' }, () => canRefuse(lab, sqlstate, sql));
  if (answer.sqlstate === sqlstate) return { kind: 'confirmed', says: `Postgres answers ${sqlstate}: ${answer.message}.` };
  return unproven(`Postgres refuses it with ${answer.sqlstate} instead: ${answer.message}.`);
}

/** The statement of the step is refused with this SQLSTATE. */
export function refuses(step: Step, sqlstate: string): Experiment {
  return { at: 'before', isolation: 'savepoint', run: lab => refusal(lab, step.statement.sql, sqlstate) };
}

/** After the step this statement is refused with this SQLSTATE. */
export function refusedAfter(sql: string, sqlstate: string): Experiment {
  return { at: 'after', isolation: 'savepoint', run: lab => refusal(lab, sql, sqlstate) };
}

/** The statement is refused with this SQLSTATE inside a transaction block. Control: alone it is not, on the same data. */
export function refusedInTransaction(step: Step, sqlstate: string): Experiment {
  const { sql } = step.statement;
  return {
    at: 'before', isolation: 'copy',
    run: async lab => {
      await lab.run('BEGIN');
      const inside = await refusal(lab, sql, sqlstate);
      await lab.run('ROLLBACK');
      if (inside.kind !== 'confirmed') return inside;
      const alone = await lab.run(sql);
      return failed(alone) && alone.sqlstate === sqlstate
        ? unproven(`Postgres refuses it outside of a transaction as well: ${alone.message}.`)
        : { kind: 'confirmed', says: `${inside.says.slice(0, -1)}, and not outside of one.` };
    },
  };
}

/** Refreshes the materialized views beneath a relation that hold nothing yet, the lowest first; what cannot be refreshed stays as it is. */
async function populateBeneath(lab: Laboratory, name: Name): Promise<void> {
  const answer = await lab.run(`WITH RECURSIVE beneath(oid, depth) AS (
      SELECT to_regclass(${quoteLiteral(qualified(name))})::oid, 0
      UNION SELECT d.refobjid, b.depth + 1 FROM beneath AS b JOIN pg_rewrite AS r ON r.ev_class = b.oid
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> b.oid
      WHERE b.depth < 50)
    SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) AS sql FROM beneath AS b JOIN pg_class AS c ON c.oid = b.oid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND NOT c.relispopulated AND b.depth > 0 GROUP BY 1 ORDER BY max(b.depth) DESC, 1`);
  if (!failed(answer)) for (const { sql } of answer.rows) await lab.run(String(sql));
}

/** After the step, a refresh of this view is refused with this SQLSTATE. `populate` first, where the claim is about a view with rows. */
export function refreshRefused(name: Name, concurrently: boolean, sqlstate: string, populate = false): Experiment {
  return {
    at: 'after', isolation: 'savepoint',
    run: async lab => {
      if (populate) await populateBeneath(lab, name);
      const first = populate ? await lab.run(`REFRESH MATERIALIZED VIEW ${qualified(name)}`) : undefined;
      if (first && failed(first)) return unproven(`The view could not be filled: ${first.message}.`);
      return refusal(lab, `REFRESH MATERIALIZED VIEW ${concurrently ? 'CONCURRENTLY ' : ''}${qualified(name)}`, sqlstate);
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

/** A query that counts a column: 1 or 0. */
function columnExistence({ table, column }: { readonly table: Relation; readonly column: string }): string {
  return `SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(${quoteLiteral(qualified(table.name))})
    AND attname = ${quoteLiteral(column)} AND NOT attisdropped`;
}

/** The statement of the step takes these objects and columns away; each is counted before and after. */
export function takesAlong(
  step: Step, objects: readonly CatalogObject[], columns: readonly { readonly table: Relation; readonly column: string }[] = [],
): Experiment {
  const wanted = objects.length + columns.length;
  const total = async (lab: Laboratory): Promise<number> => {
    let sum = 0;
    for (const sql of [...objects.map(existence), ...columns.map(columnExistence)]) if (sql !== undefined) sum += await numberOf(lab, sql) ?? 0;
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
      if (before < wanted)
        return { kind: 'unproven', says: `Only ${before} of ${wanted} objects were there before.`, numbers };
      if (gone === before) return { kind: 'confirmed', says: `The statement took ${gone} of ${before} objects along.`, numbers };
      const verdict: Verdict = { kind: gone === 0 ? 'refuted' : 'unproven', says: `${gone} of ${before} objects went with the statement.`, numbers };
      return unlessBlind(verdict, () => canTakeAlong(lab));
    },
  };
}

/** A count of the catalogs. */
export interface Count {
  readonly of: Name;
  /** SQL that counts for an object of this name; NULL when the objects of the claim are not there. */
  readonly count: (name: Name) => string;
  readonly expected: number;
  /** Sentences for when it is what was expected, and for when it is not. */
  readonly says: string;
  readonly otherwise: string;
  /** Statements that make a twin of this (printed) name that the claim is true of; by default a new materialized view over the object, with nothing of its own. */
  readonly twin?: (name: string) => readonly string[];
}

/** One count, taken after the step: `confirmed` when it is what the claim says. Control: a twin that has the effect is counted so as well. */
export function countsAfter({ of, count, expected, says, otherwise, twin }: Count): Experiment {
  const copied = (name: string): readonly string[] => [`CREATE MATERIALIZED VIEW ${name} AS SELECT * FROM ${qualified(of)}`];
  return {
    at: 'after', isolation: 'savepoint',
    run: async lab => {
      const seen = await numberOf(lab, count(of));
      if (seen === undefined) return unproven('The objects of the claim are not there.');
      if (seen === expected) return { kind: 'confirmed', says };
      return unlessBlind({ kind: 'refuted', says: otherwise },
        async () => await makeTwin(lab, (twin ?? copied)(qualified(twinName))) && await numberOf(lab, count(twinName)) === expected);
    },
  };
}

/** The definition of a view or a routine as Postgres prints it. */
function printed(object: CatalogObject): string {
  const name = typeof object.name === 'string' ? object.name : qualified(object.name);
  if (object.kind !== 'routine') return `SELECT pg_get_viewdef(to_regclass(${quoteLiteral(name)})) AS text`;
  return `SELECT string_agg(pg_get_functiondef(p.oid), '' ORDER BY p.oid) AS text
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.proname = ${quoteLiteral(object.name.name)} AND n.nspname = ${quoteLiteral(object.name.schema)}`;
}

/** The statement gives a view or a routine another definition. */
export function printsAnother(step: Step, object: CatalogObject): Experiment {
  return {
    at: 'before', isolation: 'savepoint',
    run: async lab => {
      const text = async (): Promise<unknown> => {
        const answer = await lab.run(printed(object));
        return failed(answer) ? undefined : answer.rows[0]?.['text'];
      };
      const before = await text();
      const answer = await lab.run(step.statement.sql);
      if (failed(answer)) return unproven(`Postgres refuses the statement here: ${answer.message}.`);
      const after = await text();
      if (typeof before !== 'string' || typeof after !== 'string') return unproven('Postgres prints no definition.');
      return before === after
        ? unlessBlind({ kind: 'refuted', says: 'Postgres prints the same definition before and after.' }, () => canTellDefinitions(lab))
        : { kind: 'confirmed', says: 'Postgres prints one definition before the statement and another one after it.' };
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
        ? unlessBlind({ kind: 'refuted', says: 'Postgres prints the same query for both definitions.' }, () => canTellDefinitions(lab))
        : { kind: 'confirmed', says: `After the statement ${quote(name)} still has its old definition.` };
    },
  };
}

/** Before the step nothing has the name, for every session: no transaction is open that could have taken it. */
export function missingBefore(name: Name): Experiment {
  return {
    at: 'before', isolation: 'savepoint',
    run: async lab => {
      const missing = (of: Name): string => `SELECT (to_regclass(${quoteLiteral(qualified(of))}) IS NULL)::int`;
      const seen = await numberOf(lab, missing(name));
      const open = await numberOf(lab, 'SELECT (pg_current_xact_id_if_assigned() IS NOT NULL)::int');
      if (seen !== 1) {
        return unlessBlind({ kind: 'refuted', says: `There is a ${quote(name)} before the statement.` },
          async () => await numberOf(lab, missing(twinName)) === 1);
      }
      if (open !== 0) return unproven('A transaction is open, and what it changed is not committed.');
      return { kind: 'confirmed', says: `Before the statement there is no ${quote(name)}, and no transaction is open.` };
    },
  };
}

/** After the step nothing has the name. */
export function nameGone(name: Name): Experiment {
  return countsAfter({
    of: name, count: of => `SELECT (to_regclass(${quoteLiteral(qualified(of))}) IS NULL)::int`, expected: 1, twin: () => [],
    says: `After it Postgres finds no ${quote(name)}.`, otherwise: `After it there is a ${quote(name)}.`,
  });
}

/** Two refreshes in this order leave the first view behind: refreshed once more it has other rows. Empty base tables get some first. */
export function staleAfterRefreshes(outer: Name, inner: Name): Experiment {
  const refresh = (name: Name): string => `REFRESH MATERIALIZED VIEW ${qualified(name)}`;
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(inner, 20);
      const keep = `CREATE TABLE mvlint_before AS SELECT t::text AS line FROM ${qualified(outer)} AS t`;
      for (const sql of [refresh(outer), refresh(inner), keep, refresh(outer)]) {
        const answer = await lab.run(sql);
        if (failed(answer)) return unproven(`The views could not be refreshed: ${answer.message}.`);
      }
      const changed = await numberOf(lab,
        `SELECT count(*) FROM (SELECT t::text FROM ${qualified(outer)} AS t EXCEPT ALL SELECT line FROM mvlint_before) AS x`);
      if (changed === undefined || changed === 0) return unproven('The rows of this database do not tell the two orders apart.');
      const says = `Refreshed once more, ${quote(outer)} has ${changed} rows that it did not have.`;
      return { kind: 'confirmed', says, numbers: { rowsMissed: changed } };
    },
  };
}
