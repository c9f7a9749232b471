import {
  describe, evidence, happenings, list, quote, refreshPlans, rule, sitesOf, staleAfterRefreshes, matviewsBeneath,
} from '../src/rule.ts';
import type { Catalog, Context, End, Evidence, Matview, Problem, RefreshPlan, Span, Step } from '../src/rule.ts';

/** A refresh in its place among others. */
interface Turn {
  readonly matview: Matview;
  readonly span: Span;
  readonly step?: Step;
}

/** Refreshes that come before one of a view that they read, and are not repeated after it. */
function tooEarly(turns: readonly Turn[], catalog: Catalog): readonly { readonly outer: Turn; readonly inner: Turn }[] {
  const last = new Map(turns.map(turn => [turn.matview.id, turn]));
  const place = new Map(turns.map((turn, at) => [turn, at]));
  return [...last.values()].flatMap(outer => {
    const inner = matviewsBeneath(outer.matview, catalog).flatMap(below => last.get(below.id) ?? [])
      .filter(other => place.get(other)! > place.get(outer)!);
    return inner.length > 0 ? [{ outer, inner: inner[0]! }] : [];
  });
}

function stale({ outer, inner }: { readonly outer: Turn; readonly inner: Turn }): Problem {
  const [name, below] = [quote(outer.matview.name), quote(inner.matview.name)];
  return {
    span: outer.span,
    message: `${name} is refreshed before ${below}, which it reads, so it shows the older rows until its next refresh.`,
    relation: name,
    evidence: [
      evidence(outer.matview.query.reads[0]?.span ?? outer.span, `${name} is built from ${below}`),
      evidence(inner.span, `${below} gets its new rows here`),
      evidence(outer.span, `${name} has been refreshed already`),
    ],
    ...(outer.step ? { step: outer.step } : {}),
    experiment: staleAfterRefreshes(outer.matview.name, inner.matview.name),
  };
}

function* inMigrations(end: End, { step: { after } }: Context): Iterable<Problem> {
  const turns: Turn[] = [];
  for (const { effect, step } of happenings(end.steps)) {
    const matview = effect.kind === 'refreshMatview' && effect.withData ? after.get(effect.matview.id) : undefined;
    if (matview?.kind === 'matview') turns.push({ matview, span: effect.via.span, step });
  }
  if (turns.length > 1) for (const found of tooEarly(turns, after)) yield stale(found);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** The views that two plans lock in opposite orders: the first pair. */
function crossed(a: RefreshPlan, b: RefreshPlan): readonly [number, number] | undefined {
  const order = (plan: RefreshPlan): Map<number, number> => new Map([...plan.turns].reverse().map((turn, at) => [turn.matview.id, -at]));
  const [first, second] = [order(a), order(b)];
  const shared = [...first.keys()].filter(id => second.has(id)).sort((x, y) => first.get(x)! - first.get(y)!);
  for (const [at, one] of shared.entries()) {
    const other = shared.slice(at + 1).find(id => second.get(id)! < second.get(one)!);
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

function deadlock(plan: RefreshPlan, other: RefreshPlan, ids: readonly [number, number], catalog: Catalog): Problem | undefined {
  const mine = ids.map(id => plan.turns.find(turn => turn.matview.id === id)!);
  const theirs = ids.map(id => other.turns.find(turn => turn.matview.id === id)!);
  const holder = (of: RefreshPlan): string => {
    const object = catalog.get(of.holder);
    return object ? describe(object) : 'a routine';
  };
  const who = `${capital(holder(plan))} and ${holder(other)}`;
  const names = mine.map(({ matview }) => quote(matview.name));
  const steps = (turns: readonly { readonly matview: Matview; readonly span: Span }[], of: RefreshPlan): Evidence[] =>
    turns.map(({ matview, span }) => evidence(span, `${holder(of)} locks ${quote(matview.name)}`));
  return {
    span: mine[1]!.span,
    message: `${who} refresh ${list(names)} in opposite orders, so each waits for the other when they meet.`,
    relation: names[1]!,
    stillTrue: end => [...mine, ...theirs].every(({ site }) => sitesOf(end)(site)),
    evidence: [...steps([...theirs].reverse(), other), ...steps(mine, plan)],
  };
}

function* inRoutines(end: End, { step: { after } }: Context): Iterable<Problem> {
  if (after.sites === end.start.sites) return;
  const stood = sitesOf(end.start);
  const plans = refreshPlans(after, end.start);
  const seen = new Set<RefreshPlan>();
  for (const plan of plans) {
    if (plan.turns.every(({ site }) => stood(site))) continue;
    if (plan.branches) continue;
    const stillTrue = (last: Catalog): boolean => plan.turns.every(({ site }) => sitesOf(last)(site));
    for (const found of tooEarly(plan.turns, after)) yield { ...stale(found), stillTrue };
    seen.add(plan);
    for (const other of plans) {
      const ids = plan === other || seen.has(other) || plan.commits || other.commits || other.branches ? undefined : crossed(plan, other);
      const problem = ids && deadlock(plan, other, ids, after);
      if (problem) yield problem;
    }
  }
}

export default rule({
  id: 'require-refresh-order',
  summary: 'Require that materialized views are refreshed in the order in which they read each other, and everywhere in the same one.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Refreshing a materialized view does not refresh the ones it reads. Refreshed before them, it is built from their old rows and stays one
cycle behind for ever, with a refresh that reports success. And because each refresh holds its lock to the end of the transaction, two
routines that refresh the same views in opposite orders wait for each other when they meet, until Postgres ends one of them (\`40P01:
deadlock detected\`).
`,
  fix: `
Refresh from the sources upwards, and in one order everywhere, best in one routine that the others call:

\`\`\`sql
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
REFRESH MATERIALIZED VIEW CONCURRENTLY monthly_sales;      -- reads daily_sales
\`\`\`
`,
  exceptions: `
A view that is refreshed again after its source is fine. In a routine nothing is said of an order that a condition may change, and
nothing of deadlocks where a procedure commits in between.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS',
  ],
  deploysWith: ['refreshMatview', 'sites'],
  check: {
    *endOfDeploy(end, context) {
      yield* inMigrations(end, context);
      yield* inRoutines(end, context);
    },
  },
});
