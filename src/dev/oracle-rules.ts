/**
 * An independent judge of the rules about replacing and refreshing: random histories and random deploys run on an embedded Postgres, where event triggers and
 * refusals tell what really happened; every finding is compared with that, and everything that happened with the findings. Prints one line a
 * rule. Exit status 1 when a finding is a false alarm, or something was missed, without a reason that is written down here.
 *
 *     npm run oracle:rules [-- --all] [--deploys] [--random 100] [--seed 1] [rule…]     --deploys leaves the other histories out
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { lint } from '../lint.ts';
import type { Context, Effect, History, Problem, Rule, Statement } from '../model.ts';
import { randomValid, validHistory } from './agreement.ts';
import { loadRules } from './fixtures.ts';
import { KeptServers } from './kept-servers.ts';
import { randomDeploys } from './random-deploys.ts';
import { refreshing, refusals, undone } from './oracle/refreshing.ts';
import { replacing } from './oracle/replacing.ts';
import { traceOf, type Deploy } from './oracle/trace.ts';
import { keyOf, statementKey, type Truth } from './oracle/truth.ts';

/** A finding that is not true, or a truth without a finding. */
export interface Mistake {
  readonly history: string;
  readonly rule: string;
  readonly is: 'false alarm' | 'miss';
  readonly key: string;
  readonly says: string;
}

export interface Score {
  readonly findings: number;
  readonly true: number;
  /** In code that only the data lets run, and that did not run. */
  readonly untaken: number;
  readonly mistakes: readonly Mistake[];
}

/** What the oracle has an opinion of. Left out: what needs a look into the query or the data, and what stands in the text alone. */
export const judged: ReadonlySet<string> = new Set([
  'no-recreate-in-place', 'no-drop-cascade', 'no-drop-with-dependents', 'no-lost-index', 'no-lost-privileges', 'no-lost-settings', 'no-ignored-definition',
  'no-blocked-column-change', 'no-stale-dependents', 'no-changed-shape', 'require-atomic-swap', 'no-incomplete-swap', 'no-redefined-source', 'no-early-drop',
  'no-impossible-refresh', 'no-broken-refresh', 'prefer-concurrent-refresh', 'require-unique-index', 'no-unpopulated-read', 'no-emptied-view',
  'no-refresh-in-transaction', 'no-refresh-in-trigger', 'require-refresh-order', 'no-populate-in-migration', 'no-concurrent-index-in-transaction',
  'require-lock-timeout', 'no-refused-owner', 'no-unqualified-routine', 'no-rls-bypass', 'no-blind-guard',
]);

/** Rules that speak of one statement, and are compared by it. */
const byStatement: ReadonlySet<string> = new Set([
  'no-drop-cascade', 'no-drop-with-dependents', 'no-ignored-definition', 'no-blocked-column-change', 'no-impossible-refresh', 'no-unpopulated-read',
  'no-concurrent-index-in-transaction', 'no-blind-guard',
]);

interface Recorded {
  readonly rule: string;
  readonly key: string;
  readonly problem: Problem;
}

/** The rules, with everything that they raise written down before the engine files it under headlines. */
function recording(rules: readonly Rule[], into: Recorded[]): readonly Rule[] {
  return rules.map(rule => ({
    meta: rule.meta,
    check: Object.fromEntries(Object.entries(rule.check).map(([kind, handler]) => [kind, function* (effect: Effect, context: Context): Iterable<Problem> {
      // The key of `check` decides the type of the effect; the compiler cannot follow that through the entries.
      for (const problem of (handler as (effect: Effect, context: Context) => Iterable<Problem>).call(rule.check, effect, context)) {
        const step = problem.step ?? context.step;
        const speaksOfStatement = byStatement.has(rule.meta.id) || (effect.kind === 'refuse' && rule.meta.id === 'no-incomplete-swap');
        into.push({
          rule: rule.meta.id, problem,
          key: speaksOfStatement ? statementKey(step.ordinal) : keyOf(context.step.migration.id, problem.relation ?? '?'),
        });
        yield problem;
      }
    }])),
  }));
}

function truths(deploys: readonly Deploy[]): readonly Truth[] {
  return deploys.flatMap(deploy => [...replacing(deploy), ...refreshing(deploy), ...undone(deploy), ...refusals(deploy)]);
}

/** Whether code had a part in a finding: in a history whose code depends on data it need not have run. */
function fromCode({ problem }: Recorded, statements: readonly Statement[]): boolean {
  return [problem.span, ...(problem.evidence ?? []).map(({ span }) => span)].some(span => statements.some(({ sql, span: whole }) =>
    whole.path === span.path && whole.start <= span.start && span.end <= whole.end && /^\s*(do|select|create function)\b/i.test(sql)));
}

/** Compares findings and facts of one history. `doubt`: its code depends on data, so that only false alarms count. */
export async function scoresOf(name: string, history: History, doubt: boolean, rules: readonly Rule[], servers: KeptServers): Promise<ReadonlyMap<string, Score>> {
  const session = await servers.session(history);
  const facts = truths(await traceOf(history, session));
  await session.end();
  const recorded: Recorded[] = [];
  const { report } = lint([history], recording(rules, recorded), { postgres: 18, preset: 'all', rules: {}, allHistory: true, session: { role: 'postgres' } });
  if (report.crashes.length > 0) throw new Error(`${name}: ${JSON.stringify(report.crashes)}`);
  // Where a name may be one that no file shows, a branch may run as well.
  const open = report.histories.some(({ world }) => world === 'open');
  const statements = history.migrations.flatMap(migration => migration.up.flatMap(unit => unit.statements));
  return new Map(rules.map(({ meta: { id } }) => id).filter(id => judged.has(id)).map(id => {
    const found = new Map(recorded.filter(one => one.rule === id).map(one => [one.key, one]));
    const real = new Map<string, Truth>();
    for (const truth of facts) if (truth.rule === id && (truth.must || !real.has(truth.key))) real.set(truth.key, truth);
    const wrong = [...found.values()].filter(one => !real.has(one.key));
    const alarms = doubt || open ? wrong.filter(one => !fromCode(one, statements)) : wrong;
    const missed = doubt ? [] : [...real.values()].filter(truth => truth.must && !found.has(truth.key));
    return [id, {
      findings: found.size, true: found.size - wrong.length, untaken: wrong.length - alarms.length,
      mistakes: [
        ...alarms.map(({ key, problem }) => ({ history: name, rule: id, is: 'false alarm' as const, key, says: problem.message })),
        ...missed.map(({ key, why }) => ({ history: name, rule: id, is: 'miss' as const, key, says: why })),
      ],
    }];
  }));
}

/** Mistakes that are known, and why they stand: of a rule, where what is said matches. */
export const allowed: readonly { readonly rule: string; readonly is: Mistake['is']; readonly says: RegExp; readonly because: string }[] = [];

export const isAllowed = ({ rule, is, says }: Mistake): boolean => allowed.some(one => one.rule === rule && one.is === is && one.says.test(says));

/** Adds up what the histories gave. */
export function added(scores: Iterable<ReadonlyMap<string, Score>>): ReadonlyMap<string, Score> {
  const sum = new Map<string, Score>();
  for (const score of scores)
    for (const [id, one] of score) {
      const old = sum.get(id) ?? { findings: 0, true: 0, untaken: 0, mistakes: [] };
      sum.set(id, { findings: old.findings + one.findings, true: old.true + one.true, untaken: old.untaken + one.untaken, mistakes: [...old.mistakes, ...one.mistakes] });
    }
  return sum;
}

function printed(sum: ReadonlyMap<string, Score>): string {
  const line = (words: readonly (string | number)[]): string => words.map((word, at) => (at === 0 ? String(word).padEnd(38) : String(word).padStart(12))).join('');
  const rows = [...sum].map(([id, { findings, true: right, untaken, mistakes }]) => {
    const open = mistakes.filter(one => !isAllowed(one));
    const count = (is: Mistake['is']): number => open.filter(one => one.is === is).length;
    return line([id, findings, right, untaken, count('false alarm'), count('miss'), mistakes.length - open.length]);
  });
  return `${[line(['', 'findings', 'true', 'untaken', 'false alarms', 'misses', 'explained']), ...rows].join('\n')}\n`;
}

async function main(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words], allowPositionals: true,
    options: { all: { type: 'boolean', default: false }, deploys: { type: 'boolean', default: false }, random: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
  });
  const rules = await loadRules();
  const servers = new KeptServers();
  const scores: ReadonlyMap<string, Score>[] = [];
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.random); seed += 1) {
    if (!values.deploys) {
      const { name, history } = await randomValid(seed, servers);
      scores.push(await scoresOf(name, history, seed % 2 === 0, rules, servers));
    }
    const deploys = await validHistory(`deploys/${seed}`, randomDeploys(seed), false, servers);
    scores.push(await scoresOf(deploys.name, deploys.history, false, rules, servers));
  }
  await servers.close();
  const sum = added(scores);
  const open = [...sum.values()].flatMap(({ mistakes }) => mistakes).filter(one => !isAllowed(one));
  const wanted = open.filter(({ rule }) => positionals.length === 0 || positionals.includes(rule));
  for (const { history, rule, is, key, says } of wanted.slice(0, values.all || positionals.length > 0 ? wanted.length : 40))
    process.stdout.write(`${history} ${rule}: ${is} at ${key}: ${says.replace(/\s+/g, ' ').slice(0, 300)}\n`);
  process.stdout.write(printed(sum));
  return open.length > 0 ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main(process.argv.slice(2));
