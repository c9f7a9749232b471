import {
  describe, evidence, freshSites, happenings, hasUsableUniqueIndex, isUnknown, madeAt, passedOver, quote, refreshRefused, rule, sameSpan,
  sitesNaming, sitesOf, sitesOutside,
} from '../src/rule.ts';
import type { Catalog, CatalogObject, Context, Effect, Evidence, Matview, Problem, RefreshSite, Relation, Step } from '../src/rule.ts';

type End = Effect & { readonly kind: 'endOfDeploy' };

/**
 * What a refresh site meets in a catalog. SQLSTATEs as measured (facts A, B). Who may run it is not judged: the role of a later call is
 * not known.
 */
type State =
  | { readonly is: 'possible'; readonly matview: Matview }
  | { readonly is: 'unknown' }
  | Impossible;

interface Impossible {
  readonly is: 'impossible';
  readonly sqlstate: string;
  /** The end of a sentence about the view. */
  readonly because: string;
  readonly from: readonly Evidence[];
  /** What has the name now. */
  readonly relation?: Relation;
}

function judge(site: RefreshSite, catalog: Catalog): State {
  const found = catalog.find(site.target, site.searchPath);
  if (found.is === 'unknown') return { is: 'unknown' };
  if (found.is === 'absent') {
    if (site.guarded) return { is: 'unknown' };
    const from = found.because ? [found.because] : [];
    return { is: 'impossible', sqlstate: '42P01', because: 'there is no such relation any more', from };
  }
  const relation = found.object;
  const from = madeAt(relation, `${describe(relation)} is made here`);
  if (relation.kind === 'view') return { is: 'impossible', sqlstate: '42809', because: 'it is a plain view', from, relation };
  if (relation.kind !== 'matview') return { is: 'impossible', sqlstate: '0A000', because: `it is a ${relation.kind}`, from, relation };
  if (!site.concurrently) return { is: 'possible', matview: relation };
  if (isUnknown(relation.populated)) return { is: 'unknown' };
  if (!relation.populated) return { is: 'impossible', sqlstate: '0A000', because: 'it is not populated', from, relation };
  const usable = hasUsableUniqueIndex(relation, catalog);
  if (isUnknown(usable)) return { is: 'unknown' };
  if (usable) return { is: 'possible', matview: relation };
  const near = passedOver(relation, catalog);
  const because = `it has no unique index that CONCURRENTLY can use${near === '' ? '' : `: ${near}`}`;
  return { is: 'impossible', sqlstate: '55000', because, from, relation };
}

/** The routine or job, by the name it has in this catalog. */
function holder(site: RefreshSite, catalog: Catalog): string {
  const object = site.holderId === undefined ? undefined : catalog.get(site.holderId);
  return object ? describe(object) : site.holder;
}
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const action = (site: RefreshSite, name: string): string => `refresh ${name}${site.concurrently ? ' concurrently' : ''}`;
const writtenName = ({ target: { schema, name } }: RefreshSite): string => quote(schema === undefined ? name : { schema, name });

/** Whether another site fills the view, so that an empty one is only waiting for it. */
function filledElsewhere(relation: Relation | undefined, catalog: Catalog): boolean {
  return relation !== undefined && catalog.sites.some(site => {
    const found = site.concurrently ? undefined : catalog.find(site.target, site.searchPath);
    return found?.is === 'present' && found.object.id === relation.id;
  });
}

/** Whether an effect can take a possibility away. */
const takesAway = (effect: Effect): boolean => ['dropObject', 'dropPart', 'renameRelation', 'changeRelation'].includes(effect.kind)
  || (effect.kind === 'refreshMatview' && !effect.withData);

/** Names of materialized views from which these steps can have taken a possibility away: a site of another name is as it was. */
function touched(steps: readonly Step[]): ReadonlySet<string> {
  const names = new Set<string>();
  const touch = (object: CatalogObject, catalog: Catalog): void => {
    const relation = object.kind === 'index' ? catalog.get(object.on) : object;
    if (relation?.kind === 'matview') names.add(relation.name.name);
  };
  for (const { step, effect } of happenings(steps)) {
    if (effect.kind === 'dropObject') for (const object of [effect.object, ...effect.takes]) touch(object, step.before);
    else if (effect.kind === 'dropPart') for (const object of effect.takes) touch(object, step.before);
    // A table, too, can take the name that a refresh finds first.
    else if (effect.kind === 'renameRelation') names.add(effect.from.name.name).add(effect.to.name.name);
    else if (effect.kind === 'changeRelation') touch(effect.from, step.before);
    else if (effect.kind === 'refreshMatview' && !effect.withData) touch(effect.matview, step.before);
  }
  return names;
}

/** The statement after which the refresh was impossible and never possible again, and the narrowest place in it. */
function breaking(site: RefreshSite, steps: readonly Step[]): { readonly step: Step; readonly effect: Effect } | undefined {
  const step = steps.findLast(each => judge(site, each.before).is === 'possible' && judge(site, each.after).is !== 'possible');
  const effect = step?.effects.find(takesAway) ?? step?.effects[0];
  return step && effect ? { step, effect } : undefined;
}

/** Whether the routine or job is still there and its refresh still impossible. */
const stillWrong = (site: RefreshSite, end: Catalog): boolean => sitesOf(end)(site) && judge(site, end).is === 'impossible';

function* broken(site: RefreshSite, was: Matview, now: Impossible, end: End): Iterable<Problem> {
  const cause = breaking(site, end.steps);
  if (!cause) return;
  const name = quote(was.name);
  const again = now.relation && now.relation.id !== was.id ? now.from.filter(({ span }) => !sameSpan(span, cause.effect.via.span)) : [];
  yield {
    span: cause.effect.via.span,
    message: `${capital(holder(site, end.start))} can no longer ${action(site, name)} because ${now.because}.`,
    relation: name,
    stillTrue: last => stillWrong(site, last),
    evidence: [
      evidence(cause.effect.via.span, `until here ${name} could be refreshed${site.concurrently ? ' concurrently' : ''}`),
      ...again,
      evidence(site.span, `${holder(site, end.start)} refreshes ${name}`),
    ],
    experiment: refreshRefused(was.name, site.concurrently, now.sqlstate),
  };
}

function* wrongFromTheStart(site: RefreshSite, now: Impossible, context: Context): Iterable<Problem> {
  if (now.sqlstate === '0A000' && now.relation?.kind === 'matview' && filledElsewhere(now.relation, context.step.after)) return;
  const name = now.relation ? quote(now.relation.name) : writtenName(site);
  yield {
    span: site.span,
    message: `${capital(holder(site, context.step.after))} cannot ${action(site, name)} because ${now.because}.`,
    relation: name,
    stillTrue: last => stillWrong(site, last),
    evidence: [...now.from, evidence(site.span, `${holder(site, context.step.after)} refreshes ${name}`)],
    ...(now.relation ? { experiment: refreshRefused(now.relation.name, site.concurrently, now.sqlstate) } : {}),
  };
}

/** A view that this deploy makes in a way that a refresh outside cannot work with. */
function* madeWithout(site: RefreshSite, end: End, context: Context): Iterable<Problem> {
  const now = judge(site, context.step.after);
  if (now.is !== 'impossible' || now.relation?.kind !== 'matview' || now.relation.madeAt === undefined) return;
  if (end.start.get(now.relation.id) !== undefined || judge(site, end.start).is === 'possible') return;
  if (now.sqlstate === '0A000' && filledElsewhere(now.relation, context.step.after)) return;
  const name = quote(now.relation.name);
  const at = now.relation.madeAt;
  yield {
    span: at,
    message: `${capital(site.holder)} cannot ${action(site, name)} because ${now.because}.`,
    relation: name,
    stillTrue: last => judge(site, last).is === 'impossible',
    evidence: [evidence(site.span, `${site.holder} refreshes ${name}`), evidence(at, `${describe(now.relation)} is made here`)],
    experiment: refreshRefused(now.relation.name, site.concurrently, now.sqlstate),
  };
}

export default rule({
  id: 'no-broken-refresh',
  summary: 'Disallow a change after which a refresh that lives elsewhere no longer works.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
The refresh of a materialized view usually stands in another file than the view: in a function, a trigger, a scheduled job. It is
bound by name, each time it runs. A migration that drops or renames the view, creates it again without its unique index, replaces
that index by one with an expression or a \`WHERE\` clause, or leaves the view unpopulated goes through without a word, and the
refresh fails from its next run on. Until somebody reads the log of the job, readers get older rows every day.
`,
  fix: `
Give the view back what its refresh needs in the same migration: the name, the rows and, for \`CONCURRENTLY\`, a unique index over
plain columns.

\`\`\`sql
CREATE UNIQUE INDEX daily_sales_day_key ON daily_sales (day);
\`\`\`

Where the view is to go for good, change the routine or unschedule the job first.
`,
  exceptions: `
Judged at the end of the deploy, so a view that loses its index and gets it back is fine. A site whose target the history does not
show is unknown, and one that asks whether its view is there does not fail without it. A concurrent refresh of a view without data is not reported while another site refreshes it plainly. Which role
calls the routine is not looked at.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/plpgsql-implementation.html#PLPGSQL-PLAN-CACHING',
  ],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      const fresh = freshSites(after, end.start);
      for (const site of sitesNaming(touched(end.steps), after)) {
        const now = fresh.includes(site) ? undefined : judge(site, after);
        const was = now?.is === 'impossible' ? judge(site, end.start) : undefined;
        if (now?.is === 'impossible' && was?.is === 'possible') yield* broken(site, was.matview, now, end);
      }
      for (const site of fresh) {
        const now = judge(site, after);
        if (now.is === 'impossible') yield* wrongFromTheStart(site, now, context);
      }
      for (const site of sitesOutside(after)) yield* madeWithout(site, end, context);
    },
  },
});
