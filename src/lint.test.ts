import { describe, expect, test } from 'vitest';
import { lint, severityOf, type LintOptions, type LintResult } from './lint.ts';
import type { Catalog, Effect, Matview, Migration, Rule, Severity } from './model.ts';
import { memoryFiles } from './read/files.ts';
import { readHistories } from './read/read.ts';

const defaults: LintOptions = { postgres: 18, preset: 'recommended', rules: {}, allHistory: false };

function fake(id: string, check: Rule['check'], severity: Rule['meta']['severity'] = 'warning', postgres: Rule['meta']['postgres'] = { from: 14 }): Rule {
  return { meta: { id, severity, postgres, summary: 'Disallow it.', why: 'w', fix: 'f', references: [] }, check };
}
const about = (matview: Matview, effect: Effect, message = `${matview.name.name} is refreshed.`) => ({ span: effect.via.span, message, relation: matview.name.name });
/** A finding for every refresh. */
const refreshes = fake('no-refresh', { *refreshMatview(effect) { yield about(effect.matview, effect); } });

function run(files: Record<string, string>, rules: readonly Rule[], options: Partial<LintOptions> = {}): LintResult {
  const under = Object.fromEntries(Object.entries(files).map(([name, text]) => [`db/${name}`, text]));
  const { histories, problems } = readHistories(memoryFiles(under), { tool: 'psql', migrations: ['db'] });
  expect(problems).toEqual([]);
  expect(histories).toHaveLength(1);
  return lint(histories, rules, { ...defaults, ...options });
}
const messages = (result: LintResult): string[] => result.report.findings.map(({ rule, message }) => `${rule}: ${message}`);

const made = 'CREATE TABLE t (id int);\nCREATE MATERIALIZED VIEW m AS SELECT id FROM t;\n';

describe('rules', () => {
  test('are called by effect and yield findings with severity, place and evidence', () => {
    const { report } = run({ '1.sql': `${made}REFRESH MATERIALIZED VIEW m;` }, [refreshes]);
    expect(report.findings).toMatchObject([{ rule: 'no-refresh', severity: 'warning', relation: 'm', span: { path: 'db/1.sql', start: made.length }, also: [], fixes: [] }]);
    expect(report.findings[0]?.evidence).toEqual([{ span: report.findings[0]?.span, says: 'm is refreshed.' }]);
    expect(report.histories).toMatchObject([{ tool: 'psql', migrations: 1, statements: 3, world: 'closed' }]);
    expect(report.crashes).toEqual([]);
  });
  test('that throw are crashes, and the others go on', () => {
    const broken = fake('no-luck', { refreshMatview() { throw new TypeError('oops'); } });
    const { report } = run({ '1.sql': `${made}REFRESH MATERIALIZED VIEW m;` }, [broken, refreshes]);
    expect(report.crashes).toEqual([{ rule: 'no-luck', path: 'db/1.sql', because: 'TypeError: oops' }]);
    expect(report.findings).toHaveLength(1);
  });
  test('findings are sorted by migration and place, whatever the order of raising; equal ones are told once', () => {
    const late = fake('no-late', {
      *endOfHistory(_, { step }) {
        for (const matview of step.after.relations()) if (matview.kind === 'matview' && matview.madeAt) yield { span: matview.madeAt, message: `${matview.name.name} is made.` };
      },
    });
    const twice = fake('no-twice', { *createMatview(effect) { yield* [about(effect.matview, effect, 'twice'), about(effect.matview, effect, 'twice')]; } });
    const result = run({ '1.sql': made, '2.sql': 'REFRESH MATERIALIZED VIEW m;', '10.sql': 'REFRESH MATERIALIZED VIEW m;' }, [refreshes, late, twice]);
    expect(result.report.findings.map(({ rule, span }) => `${rule} ${span.path}`)).toEqual(['no-late db/1.sql', 'no-twice db/1.sql', 'no-refresh db/2.sql', 'no-refresh db/10.sql']);
  });
});

describe('severity', () => {
  const stepped = fake('no-x', {}, [{ from: 14, severity: 'error' }, { from: 17, severity: 'note' }]).meta;
  test.each<[number, LintOptions['preset'], Record<string, Severity | 'off'>, Severity | 'off']>([
    [14, 'recommended', {}, 'error'], [16, 'recommended', {}, 'error'], [17, 'recommended', {}, 'off'], [17, 'all', {}, 'note'],
    [17, 'recommended', { 'no-x': 'warning' }, 'warning'], [14, 'recommended', { 'no-x': 'off' }, 'off'],
  ])('on %d with %s and %j is %s', (postgres, preset, rules, expected) => {
    expect(severityOf(stepped, { postgres, preset, rules })).toBe(expected);
  });
  test('a rule holds only for its Postgres versions', () => {
    const { meta } = fake('no-x', {}, 'error', { from: 15, until: 17 });
    expect([14, 15, 17, 18].map(postgres => severityOf(meta, { postgres, preset: 'all', rules: { 'no-x': 'error' } }))).toEqual(['off', 'error', 'error', 'off']);
  });
});

describe('deploys', () => {
  const used = fake('no-use', { *refreshMatview(effect, { inUse }) { yield about(effect.matview, effect, `in use: ${JSON.stringify(inUse(effect.matview))}`); } });
  const ends = fake('no-end', {
    *endOfMigration({ steps, via }) { yield { span: via.span, message: `migration of ${steps.length}` }; },
    *endOfDeploy({ steps, start, via }) { yield { span: via.span, message: `deploy of ${steps.length}, m ${start.find({ name: 'm' }).is}` }; },
    *endOfHistory({ via }, { step }) { yield { span: via.span, message: `history, ${[...step.after.relations()].length} relations` }; },
  });
  const files = { '1.sql': 'CREATE TABLE t (id int);', '2.sql': 'CREATE MATERIALIZED VIEW m AS SELECT id FROM t;', '3.sql': 'REFRESH MATERIALIZED VIEW m;' };
  const pending = (migration: Migration): boolean => !migration.path.endsWith('1.sql');
  test('by default each migration is one, and what an earlier one made is in use', () => {
    expect(messages(run(files, [used]))).toEqual(['no-use: in use: true']);
    expect(messages(run({ '1.sql': `${made}REFRESH MATERIALIZED VIEW m;` }, [used]))).toEqual(['no-use: in use: false']);
  });
  test('a view that never was populated is not in use', () => {
    expect(messages(run({ ...files, '2.sql': 'CREATE MATERIALIZED VIEW m AS SELECT id FROM t WITH NO DATA;' }, [used]))).toEqual(['no-use: in use: false']);
  });
  test('pending migrations go out together', () => {
    expect(messages(run(files, [used], { pending }))).toEqual(['no-use: in use: false']);
    const text = messages(run(files, [ends], { pending }));
    expect(text.filter(message => message.includes('deploy'))).toEqual(['no-end: deploy of 1, m unknown', 'no-end: deploy of 2, m unknown']);
    expect(text.filter(message => message.includes('migration'))).toHaveLength(3);
    expect(text.filter(message => message.includes('history'))).toEqual(['no-end: history, 2 relations']);
  });
  test('a rule that waits for effects is asked of the deploys that have one', () => {
    const waits: Rule = { ...ends, deploysWith: ['refreshMatview', 'dropObject'] };
    expect(messages(run(files, [waits])).filter(message => message.includes('deploy'))).toEqual(['no-end: deploy of 1, m present']);
    expect(messages(run(files, [{ ...waits, deploysWith: ['createMatview'] }], { pending })).filter(message => message.includes('deploy')))
      .toEqual(['no-end: deploy of 2, m unknown']);
  });
});

describe('ignores', () => {
  const refresh = 'REFRESH MATERIALIZED VIEW m;';
  test('with a reason suppress, and are counted', () => {
    const { report } = run({ '1.sql': `${made}-- mvlint-ignore no-refresh: nobody reads at night\n${refresh}\n${refresh} -- mvlint-ignore no-refresh: same\n${refresh}` }, [refreshes]);
    expect(report.findings).toHaveLength(1);
    expect(report.suppressed).toBe(2);
  });
  test('for a file reach every statement of it', () => {
    const { report } = run({ '1.sql': made, '2.sql': `-- mvlint-ignore-file no-refresh: nobody reads\n${refresh}\n${refresh}`, '3.sql': refresh }, [refreshes]);
    expect(report.findings.map(({ span }) => span.path)).toEqual(['db/3.sql']);
    expect(report.suppressed).toBe(2);
  });
  test('without a reason suppress nothing and are findings', () => {
    expect(messages(run({ '1.sql': `${made}-- mvlint-ignore no-refresh\n${refresh}` }, [refreshes])))
      .toEqual(['no-unexplained-ignore: This ignore gives no reason, so it suppresses nothing.', 'no-refresh: m is refreshed.']);
  });
  test('that suppress nothing, or name no rule, are findings', () => {
    expect(messages(run({ '1.sql': `-- mvlint-ignore no-refresh, no-refersh: why\n${made}` }, [refreshes]))).toEqual([
      'no-unused-ignore: No rule is named no-refersh.', 'no-unused-ignore: This ignore suppresses nothing: no-refresh has no finding here.',
    ]);
  });
  test('of a rule that is off are not called unused, and no-unused-ignore obeys the options', () => {
    expect(messages(run({ '1.sql': `-- mvlint-ignore no-refresh: why\n${made}` }, [refreshes], { rules: { 'no-refresh': 'off' } }))).toEqual([]);
    const page = { ...fake('no-unused-ignore', {}), meta: { ...fake('no-unused-ignore', {}).meta, raisedBy: 'engine' as const } };
    expect(messages(run({ '1.sql': `-- mvlint-ignore no-x: why\n${made}` }, [refreshes, page], { rules: { 'no-unused-ignore': 'off' } }))).toEqual([]);
    expect(run({ '1.sql': `-- mvlint-ignore no-x: why\n${made}` }, [refreshes, page], { rules: { 'no-unused-ignore': 'error' } }).report.findings[0]?.severity).toBe('error');
  });
  test('can be ignored in turn', () => {
    const text = `-- mvlint-ignore-file no-unused-ignore: kept for the next refresh\n-- mvlint-ignore no-refresh: why\n${made}`;
    expect(messages(run({ '1.sql': text }, [refreshes]))).toEqual([]);
  });
});

describe('one mistake, one headline', () => {
  const drop = 'DROP MATERIALIZED VIEW m;';
  const named = (id: string, severity: Severity, relation = 'm', experiment = false): Rule => fake(id, {
    *dropObject(effect) {
      yield { span: effect.via.span, message: id, relation, ...(experiment ? { experiment: { at: 'before', isolation: 'savepoint', run: async () => ({ kind: 'unproven', says: '' }) } } : {}) };
    },
  }, severity);
  const files = { '1.sql': made, '2.sql': drop };
  test('a lesser finding of the same statement and relation is attached', () => {
    const { report, claims } = run(files, [named('require-z', 'error'), named('no-lost-index', 'warning', 'm', true), named('no-recreate-in-place', 'warning', 'm', true), named('no-other', 'error', 'n')]);
    expect(report.findings.map(({ rule, also }) => [rule, also.map(other => other.rule)])).toEqual([['no-other', []], ['no-recreate-in-place', ['no-lost-index', 'require-z']]]);
    const [head] = claims[0]?.claims.filter(claim => claim.finding.rule === 'no-recreate-in-place') ?? [];
    expect(head?.finding).toBe(report.findings[1]);
    expect(claims[0]?.claims.map(claim => claim.finding)).toContain(report.findings[1]?.also[0]);
  });
  test('equally grave findings stay headlines', () => {
    const { report } = run(files, [named('no-a', 'error'), named('no-b', 'error'), named('no-c', 'warning')]);
    expect(report.findings.map(({ rule, also }) => [rule, also.length])).toEqual([['no-a', 1], ['no-b', 0]]);
  });
  test('a lesser one becomes a headline when the graver one is ignored', () => {
    const { report } = run({ ...files, '2.sql': `-- mvlint-ignore no-drop-cascade: planned\n${drop}` }, [named('no-drop-cascade', 'error'), named('no-lost-index', 'warning')]);
    expect(report.findings.map(({ rule }) => rule)).toEqual(['no-lost-index']);
  });
  test('the cause is where the evidence begins', () => {
    const caused = fake('no-broken-refresh', {
      *refreshMatview(effect) {
        const { madeAt } = effect.matview;
        yield { ...about(effect.matview, effect, 'broken'), evidence: madeAt ? [{ span: madeAt, says: 'made' }, { span: effect.via.span, says: 'refreshed' }] : [] };
      },
    }, 'error');
    const atMaking = fake('no-making', { *createMatview(effect) { yield about(effect.matview, effect, 'made'); } });
    const { report } = run({ '1.sql': `${made}REFRESH MATERIALIZED VIEW m;` }, [caused, atMaking]);
    expect(report.findings.map(({ rule, also }) => [rule, also.map(other => other.rule)])).toEqual([['no-broken-refresh', ['no-making']]]);
  });
});

describe('fingerprints', () => {
  const prints = (files: Record<string, string>, options: Partial<LintOptions> = {}): string[] => run(files, [refreshes], options).report.findings.map(({ fingerprint }) => fingerprint);
  const text = 'REFRESH MATERIALIZED VIEW m;';
  test('survive moves, comments, case and new file names, and tell equals apart', () => {
    const [one, two] = prints({ '1.sql': made, '2.sql': `${text}\n${text}` });
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(two).not.toBe(one);
    expect(prints({ '1.sql': made, '7_new.sql': `-- why\n\n\nrefresh  materialized view m;\n\n${text}` })).toEqual([one, two]);
  });
  test('do not shift when an equal one before is ignored', () => {
    const [, two] = prints({ '1.sql': made, '2.sql': `${text}\n${text}` });
    expect(prints({ '1.sql': made, '2.sql': `${text} -- mvlint-ignore no-refresh: ok\n${text}` })).toEqual([two]);
  });
});

describe('what is reported', () => {
  const drops = fake('no-drop', { *dropObject(effect) { if (effect.object.kind === 'matview') yield { ...about(effect.object, effect, 'dropped'), span: effect.via.span }; } });
  test('a relation that a later migration removed is history', () => {
    const files = { '1.sql': made, '2.sql': 'REFRESH MATERIALIZED VIEW m;', '3.sql': 'DROP MATERIALIZED VIEW m;' };
    const { report } = run(files, [refreshes, drops]);
    expect(messages({ report, claims: [] })).toEqual(['no-drop: dropped']);
    expect(report.hidden).toBe(1);
    expect(run(files, [refreshes, drops], { allHistory: true }).report.findings).toHaveLength(2);
  });
  test('a renamed relation is not gone', () => {
    const { report } = run({ '1.sql': made, '2.sql': 'REFRESH MATERIALIZED VIEW m;', '3.sql': 'ALTER MATERIALIZED VIEW m RENAME TO n;' }, [refreshes]);
    expect([report.findings.length, report.hidden]).toEqual([1, 0]);
  });
  test('a rule decides with stillTrue, on the catalog at the end', () => {
    const lacking = fake('require-index', {
      *createMatview(effect) {
        yield { ...about(effect.matview, effect, 'no index'), stillTrue: (end: Catalog) => end.indexesOf(effect.matview.id).length === 0 };
      },
    });
    expect(run({ '1.sql': made }, [lacking]).report.findings).toHaveLength(1);
    const { report } = run({ '1.sql': made, '2.sql': 'CREATE UNIQUE INDEX ON m (id);' }, [lacking]);
    expect([report.findings.length, report.hidden]).toEqual([0, 1]);
  });
  test('only some migrations are reported, all are replayed', () => {
    const only = (migration: Migration): boolean => migration.path.endsWith('3.sql');
    const { report } = run({ '1.sql': made, '2.sql': 'REFRESH MATERIALIZED VIEW m;\n-- mvlint-ignore no-refresh: x\nSELECT 1;', '3.sql': 'REFRESH MATERIALIZED VIEW m;' }, [refreshes], { only });
    expect(report.findings.map(({ span }) => span.path)).toEqual(['db/3.sql']);
    expect(report.histories[0]?.migrations).toBe(3);
  });
  test('gaps are told once, with their history', () => {
    const { report } = run({ '1.sql': 'CREATE TABEL t (id int);\nSELECT 1;' }, []);
    expect(report.gaps).toHaveLength(1);
    expect(report.gaps[0]).toMatchObject({ history: report.histories[0]?.id, span: { path: 'db/1.sql' } });
  });
});

test('a repeatable migration is judged once, over the result of its first run', () => {
  const { histories } = readHistories(memoryFiles({
    'db/V1__t.sql': 'CREATE TABLE t (id int);', 'db/R__m.sql': 'DROP MATERIALIZED VIEW IF EXISTS m;\nCREATE MATERIALIZED VIEW m AS SELECT id FROM t;',
  }), { tool: 'flyway', migrations: ['db'] });
  const drops = fake('no-drop', { *dropObject(effect, { inUse }) { if (effect.object.kind === 'matview') yield { span: effect.via.span, message: `in use: ${String(inUse(effect.object))}` }; } });
  const { report } = lint(histories, [drops], defaults);
  expect(report.findings.map(({ message }) => message)).toEqual(['in use: true']);
});

test('a report that is kept keeps no catalog, and its fingerprints can still be read', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let seen: WeakRef<Catalog> | undefined;
  const watcher = fake('watcher', {
    *createTable(effect, context) {
      seen = new WeakRef(context.step.after);
      yield { message: 'a table', span: effect.via.span, fixes: () => [{ title: `after ${context.step.after.world}`, edits: [] }] };
    },
  });
  const report = ((): LintResult['report'] => run({ '001.sql': 'create table t (id int);', '002.sql': 'create table u (id int);' }, [watcher]).report)();
  await new Promise(done => setTimeout(done));
  collect();
  expect(seen?.deref()).toBeUndefined();
  expect(new Set(report.findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(report.findings[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
});
