import {
  describe, evidence, happenings, isBlind, isStored, madeAt, maintainedSince, nameChanges, nameTakers, quote, refuses, rule,
} from '../src/rule.ts';
import type {
  Catalog, CatalogObject, Context, End, Evidence, Happening, Misuse, ObjectId, Problem, Query, Span, Table,
} from '../src/rule.ts';

const engines = { pg_ivm: 'pg_ivm', pg_trickle: 'pg_trickle', timescaledb: 'TimescaleDB' } as const;

/** What leads to the misuse, and what works in its place. */
function path(misuse: Misuse, span: Span, before: Catalog): readonly Evidence[] {
  const object = misuse.relation === undefined ? undefined : before.get(misuse.relation);
  return [
    ...object ? madeAt(object, `${describe(object)} is maintained by ${engines[misuse.engine]} from here on`) : [],
    evidence(span, misuse.instead === undefined ? 'the statement' : `what there is: ${misuse.instead}`),
  ];
}

/** Words of prose take a capital, names of functions and extensions do not. */
const sentence = (says: string): string => (/^[a-z]+ /.test(says) ? `${says.charAt(0).toUpperCase()}${says.slice(1)}` : says);

const relationOf = (misuse: Misuse, before: Catalog): { readonly relation?: string } => {
  const object = misuse.relation === undefined ? undefined : before.get(misuse.relation);
  return object?.kind === 'table' || object?.kind === 'matview' ? { relation: quote(object.name) } : {};
};

const isOf = (object: CatalogObject | undefined, engine: 'pg_ivm' | 'pg_trickle'): object is Table =>
  object?.kind === 'table' && object.maintenance?.engine === engine;

/** An IMMV, the stream table that its readers have gone to, and what moved the last of them. */
interface LeftBehind {
  readonly old: Table;
  readonly next: Table;
  readonly by: Happening;
}

const storedBeneath = ({ reads }: Query, catalog: Catalog): readonly CatalogObject[] =>
  reads.map(({ id }) => catalog.get(id)).filter(object => isStored(object));

/** Plain views that read an IMMV and now read a stream table in its place, made anew or replaced. */
function* repointed(end: End, { step: { after } }: Context): Iterable<LeftBehind> {
  for (const by of happenings(end.steps)) {
    if (by.effect.kind !== 'createView') continue;
    const { view, replaced } = by.effect;
    const found = end.start.find(view.name);
    const was = replaced ?? (found.is === 'present' && found.object.kind === 'view' ? found.object : undefined);
    if (was === undefined) continue;
    const [before, now] = [storedBeneath(was.query, replaced === undefined ? end.start : by.step.before), storedBeneath(view.query, after)];
    const [old, ...others] = before.filter(({ id }) => now.every(other => other.id !== id));
    const [next, ...more] = now.filter(({ id }) => before.every(other => other.id !== id));
    if (others.length > 0 || more.length > 0) continue;
    if (isOf(old, 'pg_ivm') && isOf(next, 'pg_trickle')) yield { old, next, by };
  }
}

/** An IMMV whose name a stream table has got: who asks by name asks the stream table. */
function* renamed(end: End, context: Context): Iterable<LeftBehind> {
  for (const { old, now, given } of nameChanges(end, context))
    if (isOf(old, 'pg_ivm') && isOf(now, 'pg_trickle')) yield { old, next: now, by: given };
}

/** Whether a text holds a name as a word of its own, in whatever case. */
function names(text: string, name: string): boolean {
  const [held, sought] = [text.toLowerCase(), name.toLowerCase()];
  return /[^\p{L}\p{N}_$]/u.test(sought) ? held.includes(sought) : held.split(/[^\p{L}\p{N}_$]+/u).includes(sought);
}

/** Whether anything of the catalog may read a relation: what holds on to it, and routines, whose bodies are bound late. */
function mayBeRead({ id, name }: Table, catalog: Catalog): boolean {
  for (const { dependent } of catalog.dependants(id)) {
    const kind = catalog.get(dependent)?.kind;
    if (kind !== 'index' && kind !== 'trigger') return true;
  }
  for (const object of catalog.objects()) if (object.kind === 'routine' && names(object.statement.sql, name.name)) return true;
  return false;
}

/** IMMVs that live on without a reader since this deploy, each with the statement that moved the last one. */
function leftBehind(end: End, context: Context): Iterable<LeftBehind> {
  const last = new Map<ObjectId, LeftBehind>();
  if (isBlind(end)) return [];
  for (const one of [...repointed(end, context), ...renamed(end, context)]) last.set(one.old.id, one);
  return last.values();
}

/** Whether the IMMV is still kept up to date for nobody. */
const isIdle = ({ old }: LeftBehind, catalog: Catalog): boolean => {
  const now = catalog.get(old.id);
  return isOf(now, 'pg_ivm') && catalog.isCertain(old.id) && now.maintenance?.filled !== false && !mayBeRead(now, catalog);
};

export default rule({
  id: 'no-misused-ivm',
  summary: 'Disallow calls and statements about incrementally maintained views that do not exist or cannot work.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
pg_ivm and pg_trickle keep a query's rows in an ordinary table. Nothing about that table is a materialized view to Postgres:
\`DROP MATERIALIZED VIEW\` and \`REFRESH MATERIALIZED VIEW\` are refused (\`42809\`, \`0A000\`), and the work is done by functions whose names
and arguments are easy to get wrong. \`drop_immv\` does not exist; \`create_immv\` stands in schema \`pgivm\`, which is on nobody's search
path; \`schedule => NULL\` is an error in pg_trickle; \`pgtrickle.pgt_stream_tables\` has no column \`rows_in_last_refresh\`, although
tutorials read it. Some mistakes raise no error at all: \`create_immv\` with a NULL argument creates nothing, a scheduled job that refreshes
what is kept up to date anyway only costs, and \`DROP EXTENSION pg_ivm CASCADE\` leaves every IMMV behind as a table that nobody maintains.
An IMMV whose views were all moved to a stream table reads like any other table, but its triggers stay on its sources: every write goes
on keeping it up to date, for nobody.
`,
  fix: `
The functions, as pg_ivm 1.16 and pg_trickle 0.108 have them:

\`\`\`sql
SELECT pgivm.create_immv('totals', 'SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id');
SELECT pgivm.refresh_immv('totals', true);      -- false empties it and stops the maintenance
DROP TABLE totals;                              -- there is no drop_immv

SELECT pgtrickle.create_stream_table('totals', 'SELECT …', schedule => '30s', refresh_mode => 'AUTO');
SELECT pgtrickle.alter_stream_table('totals', refresh_mode => 'DIFFERENTIAL');
SELECT pgtrickle.drop_stream_table('totals');
SELECT check_name, result, severity FROM pgtrickle.validate_query('SELECT …');
\`\`\`

Drop every IMMV before the extension, and one that a stream table has taken the place of with \`DROP TABLE\`, or stop its triggers with
\`refresh_immv('totals', false)\`. The evidence of each finding names the signature, the columns or the statement that holds instead.
`,
  exceptions: `
What pg_trickle says is derived from its source and documentation, since no server of ours has it; its less known functions are not judged.
\`ivm.pg_trickle.version\` in the configuration decides where versions differ: \`pause_stream_table\` came with 0.79,
\`reinitialize_stream_table\` after 0.67. An IMMV counts as left behind when the last plain view over it was pointed to a stream table, or
a stream table got its name, no routine names it, and a later deploy has gone out: before that it is the way back. Queries of an
application are not seen.
`,
  references: [
    'https://github.com/sraoss/pg_ivm#functions',
    'https://github.com/grove/pg-trickle',
  ],
  deploysWith: ['createView', ...nameTakers],
  check: {
    *refuse({ via, refusal }, { step }): Iterable<Problem> {
      const { misuse, sqlstate } = refusal;
      if (misuse === undefined) return;
      yield {
        span: misuse.span, message: `Postgres refuses this because ${misuse.says}.`, ...relationOf(misuse, step.before),
        evidence: path(misuse, misuse.span, step.before),
        ...(misuse.engine === 'pg_ivm' ? { experiment: refuses(step, sqlstate) } : {}),
        ...(via.kind === 'statement' ? {} : { step }),
      };
    },
    *misuseEngine({ misuse }, { step }): Iterable<Problem> {
      yield {
        span: misuse.span, message: `${sentence(misuse.says)}.`, ...relationOf(misuse, step.before),
        evidence: path(misuse, misuse.span, step.before),
      };
    },
    *endOfDeploy(end, context): Iterable<Problem> {
      for (const one of leftBehind(end, context)) {
        const now = context.step.after.get(one.old.id);
        if (!isIdle(one, context.step.after) || now?.kind !== 'table') continue;
        const { span } = one.by.effect.via;
        yield {
          span, relation: quote(now.name), step: one.by.step,
          message: `${quote(now.name)} is still maintained by pg_ivm although nothing reads it since ${describe(one.next)} took its place.`,
          evidence: [
            ...maintainedSince(one.old), ...madeAt(one.next, `${describe(one.next)} is made here`),
            evidence(span, 'its last readers move here'),
          ],
          // In the deploy that moves the readers it is the way back; it is left behind once a later one has gone out.
          stillTrue: last => last !== context.step.after && isIdle(one, last),
        };
      }
    },
  },
});
