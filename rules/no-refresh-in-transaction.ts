import { evidence, happenings, holdsLock, isAside, isSelectable, list, lockWords, quote, refreshLock, rule, startsWith } from '../src/rule.ts';
import type { Context, End, Happening, LockMode, Matview, Problem, Selectable, Step } from '../src/rule.ts';

/** A refresh of a view in use, with the lock it takes (facts A). */
interface Refresh extends Happening {
  readonly matview: Matview;
  readonly mode: LockMode;
}

const writes = ['insert', 'update', 'delete', 'merge', 'copy', 'truncate', 'cluster', 'vacuum'];

/** Whether a statement takes time or waits for locks; settings, grants, comments, empty tables and views do neither. */
function isWork(step: Step): boolean {
  return startsWith(step.statement, writes) || step.effects.some(effect => {
    if (effect.kind === 'refreshMatview' || effect.kind === 'createMatview') return effect.withData;
    return ['createIndex', 'readRelations', 'changeRelation', 'renameRelation', 'dropObject', 'dropPart'].includes(effect.kind);
  });
}

function refreshes(end: End, context: Context): readonly Refresh[] {
  return happenings(end.steps).flatMap(({ effect, step }) => {
    if (effect.kind !== 'refreshMatview' || !effect.withData || step.transaction === undefined) return [];
    const matview = step.before.get(effect.matview.id);
    if (matview?.kind !== 'matview' || context.inUse(matview) !== true || isAside(matview, step.before)) return [];
    return [{ effect, step, matview, mode: refreshLock(effect.concurrently) }];
  });
}

/** A transaction with a refresh in it: its statements that took effect, in order. */
interface Transaction {
  readonly steps: readonly Step[];
  readonly refreshes: readonly Refresh[];
}

function transactions(end: End, context: Context): readonly Transaction[] {
  const found = new Map<number, { readonly steps: Step[]; readonly refreshes: Refresh[] }>();
  for (const refresh of refreshes(end, context)) {
    const { transaction } = refresh.step;
    if (transaction === undefined) continue;
    if (found.get(transaction)?.refreshes.push(refresh) === undefined) found.set(transaction, { steps: [], refreshes: [refresh] });
  }
  if (found.size === 0) return [];
  for (const step of end.steps) if (step.transaction !== undefined && !step.refusal) found.get(step.transaction)?.steps.push(step);
  return [...found.values()];
}

/** A refresh whose lock outlives it, because the transaction works on. */
function* held({ steps, refreshes }: Transaction): Iterable<Problem> {
  const works = steps.filter(isWork);
  const last = works.at(-1)?.ordinal ?? -1;
  const open = refreshes.filter(({ step }) => step.ordinal < last);
  const [first] = open;
  const next = first && works.find(step => step.ordinal > first.step.ordinal);
  if (!first || !next) return;
  const names = [...new Set(open.map(({ matview }) => quote(matview.name)))];
  const waiting = open.some(({ mode }) => mode === 'AccessExclusiveLock') ? 'Readers' : 'Other refreshes';
  yield {
    span: first.effect.via.span,
    message: `${waiting} of ${list(names)} wait until the transaction ends because it goes on working after the refresh.`,
    relation: quote(first.matview.name),
    evidence: [
      evidence(next.statement.span, 'the transaction goes on with this'),
      evidence(first.effect.via.span, `from here to its end it holds ${lockWords(first.mode, first.matview)}`),
    ],
    step: next,
    experiment: holdsLock(first.matview.name, first.mode),
  };
}

/** What a statement locks against everybody, of what somebody uses. */
function lockedAgainstAll(step: Step, context: Context): readonly Selectable[] {
  return step.locks().filter(({ mode }) => mode === 'AccessExclusiveLock').flatMap(({ relation }) => step.after.get(relation) ?? [])
    .filter(isSelectable).filter(relation => context.inUse(relation) === true && !isAside(relation, step.after));
}

/** A refresh that runs while the transaction holds a lock that everybody waits for. */
function* beneathLocks({ steps, refreshes }: Transaction, context: Context): Iterable<Problem> {
  for (const step of steps) {
    if (step.ordinal >= (refreshes.at(-1)?.step.ordinal ?? 0)) return;
    for (const relation of lockedAgainstAll(step, context)) {
      const refresh = refreshes.find(later => later.step.ordinal > step.ordinal && later.matview.id !== relation.id);
      if (!refresh || step.effects.some(effect => effect.kind === 'refreshMatview')) continue;
      yield {
        span: refresh.effect.via.span,
        message: `Everybody who uses ${quote(relation.name)} waits for this refresh because the transaction has locked it before.`,
        relation: quote(refresh.matview.name),
        evidence: [
          evidence(step.statement.span, `until the transaction ends this holds ${lockWords('AccessExclusiveLock', relation)}`),
          evidence(refresh.effect.via.span, `${quote(refresh.matview.name)} is refreshed meanwhile`),
        ],
        step: refresh.step,
        experiment: holdsLock(relation.name, 'AccessExclusiveLock'),
      };
      return;
    }
  }
}

/** A plain refresh of a view that the transaction has read: it holds a weaker lock on it already (measured, facts A). */
function* upgraded({ steps, refreshes }: Transaction): Iterable<Problem> {
  for (const { step, effect, matview, mode } of refreshes) {
    if (mode !== 'AccessExclusiveLock') continue;
    const reading = steps.find(one => one.ordinal < step.ordinal && one.locks().some(lock => lock.relation === matview.id)
      && one.effects.some(each => each.kind === 'readRelations' && each.reads.some(({ relation }) => relation.id === matview.id)));
    if (reading === undefined) continue;
    const name = quote(matview.name);
    yield {
      span: effect.via.span,
      message: `Two transactions that read ${name} and then refresh it end in a deadlock when they meet.`,
      relation: name,
      evidence: [
        evidence(reading.statement.span, `reading holds ${lockWords('AccessShareLock', matview)}`),
        evidence(effect.via.span, `the refresh asks for ${lockWords(mode, matview)}`),
      ],
      step,
      experiment: holdsLock(matview.name, 'AccessShareLock'),
    };
    return;
  }
}

export default rule({
  id: 'no-refresh-in-transaction',
  summary: 'Disallow refreshing a materialized view in a transaction that does other work.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
Locks are held until the transaction ends, not until the statement does. A plain \`REFRESH\` keeps readers out (\`ACCESS EXCLUSIVE\`), one
with \`CONCURRENTLY\` keeps other refreshes and index builds out (\`EXCLUSIVE\`), for as long as the migration goes on: through the next
refresh, the next index, the wait for the next lock. The other way round is worse: after an \`ALTER TABLE\` in the same transaction
nobody can read or write the table until the refresh has run to its end. And two sessions that lock the same objects in different
orders end in a deadlock (\`40P01\`); so do two that read the view first and then refresh it plainly, because each holds the lock on which
the other waits.
`,
  fix: `
Make the refresh the last statement of its transaction, or give it a migration of its own:

\`\`\`sql
ALTER TABLE orders ADD COLUMN channel text;
-- the next migration
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
\`\`\`
`,
  exceptions: `
Views that were created in the same deploy, and generations put aside or in waiting, have nobody to keep waiting. Statements that take
no time (\`SET\`, \`GRANT\`, \`COMMENT\`, \`ANALYZE\`, a new plain view) may follow. Functions that refresh several views are not reported:
when and with what else they are called is not known.
`,
  references: [
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES',
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
  ],
  deploysWith: ['refreshMatview'],
  check: {
    *endOfDeploy(end, context) {
      for (const transaction of transactions(end, context)) {
        yield* held(transaction);
        yield* beneathLocks(transaction, context);
        yield* upgraded(transaction);
      }
    },
  },
});
