import { PGlite } from '@electric-sql/pglite';
import { pg_ivm } from '@electric-sql/pglite-pg_ivm';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { turns, type Turn } from '../catalog/order.ts';
import type { Finding, History, Rule, Statement } from '../model.ts';
import { introspect } from '../live/introspect.ts';
import { stubSql, withoutTimescale } from '../live/stub-extensions.ts';
import { extensionNamed } from '../live/stubs.ts';
import type { LintResult } from '../lint.ts';
import { allFindings, driftFindings, historyOf, lineOf, lintFixture, loadRules, parseFixture, readFixtures, rulesRoot, type Fixture } from './fixtures.ts';
import { emptying } from './kept-servers.ts';

const fixtures = readFixtures();
let rules: readonly Rule[];
let db: PGlite;

beforeAll(async () => {
  rules = await loadRules();
  db = await PGlite.create({ extensions: { pg_ivm } });
});
afterAll(() => db.close());

/** Each fixture is linted once; the tests look at the same result. */
const results = new Map<Fixture, LintResult>();
function linted(fixture: Fixture): LintResult {
  const result = results.get(fixture) ?? lintFixture(fixture, rules);
  results.set(fixture, result);
  return result;
}

const sqlstateOf = (error: unknown): string =>
  (error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : String(error));

/** The announced SQLSTATE of a statement: on the line where it starts or ends. */
function announced(fixture: Fixture, { span }: Statement): string | undefined {
  const lines = [lineOf(fixture, span.path, span.start), lineOf(fixture, span.path, span.end)];
  return fixture.refused.find(({ path, line }) => path === span.path && lines.includes(line))?.sqlstate;
}

/** `path:line sqlstate statement`, one for each statement that is refused. */
const refusalLine = (fixture: Fixture, { statement }: Turn, sqlstate: string): string =>
  `${statement.span.path}:${lineOf(fixture, statement.span.path, statement.span.start)} ${sqlstate} ${statement.sql.split('\n')[0]}`;

/** What no server of ours has is stood in for. */
function standIn(sql: string): string {
  const extension = /^\s*create/i.test(sql) ? extensionNamed(sql) : undefined;
  return (extension === undefined ? undefined : stubSql(extension)) ?? withoutTimescale(sql);
}

/** Sends every statement in its turn; a transaction opens where a unit asks for one and closes with its scope. */
async function refusals(fixture: Fixture, history: History): Promise<readonly string[]> {
  for (const sql of emptying) await db.exec(sql);
  const seen: string[] = [];
  let open: string | undefined;
  let migration: string | undefined;
  const close = async (): Promise<void> => {
    if (open !== undefined) await db.exec('COMMIT');
    open = undefined;
  };
  for (const turn of turns(history)) {
    const { unit } = turn;
    // Several statements in one message are one transaction without BEGIN; a message is told apart by its first statement.
    const scope = unit.scope !== 'none' ? unit.scopeId
      : unit.protocol === 'simple-string' && unit.statements.length > 1 ? JSON.stringify(unit.statements[0]?.span) : undefined;
    if (scope !== open) await close();
    if (migration !== undefined && turn.migration.id !== migration) await db.exec('RESET ALL');
    migration = turn.migration.id;
    if (scope !== undefined && open === undefined) await db.exec('BEGIN');
    open = scope;
    try {
      await db.exec(standIn(turn.statement.sql));
    } catch (error) {
      seen.push(refusalLine(fixture, turn, sqlstateOf(error)));
    }
  }
  await close();
  return seen;
}

describe.each(fixtures.map(fixture => [`${fixture.rule}/${fixture.name}`, fixture] as const))('%s', (_, fixture) => {
  const expected = (history: History): readonly string[] => [...turns(history)].flatMap(turn => {
    const sqlstate = announced(fixture, turn.statement);
    return sqlstate === undefined ? [] : [refusalLine(fixture, turn, sqlstate)];
  });

  test('runs on Postgres, which refuses what is announced and nothing else', async () => {
    const history = historyOf(fixture);
    expect(history.gaps).toEqual([]);
    expect(expected(history)).toHaveLength(fixture.refused.length);
    expect(await refusals(fixture, history)).toEqual(expected(history));
  });

  if (fixture.byHand !== undefined) test('a real database shows the same drift', async () => {
    const history = historyOf(fixture);
    await refusals(fixture, history);
    await db.exec(fixture.byHand ?? '');
    const database = await introspect(async sql => (await db.query<Record<string, unknown>>(sql)).rows);
    const result = linted(fixture);
    const drift = (findings: readonly Finding[]): readonly string[] => findings.filter(({ rule }) => rule === 'no-drift').map(({ message }) => message).sort();
    expect(drift(driftFindings(result, database))).toEqual(drift(result.report.findings));
  });

  test('the replay refuses what Postgres refuses', () => {
    const history = historyOf(fixture);
    const { claims, report } = linted(fixture);
    expect(report.crashes).toEqual([]);
    const predicted = claims[0]?.predicted ?? new Map();
    expect([...turns(history)].flatMap(turn => {
      const refusal = predicted.get(turn.ordinal);
      return refusal ? [refusalLine(fixture, turn, refusal.sqlstate)] : [];
    })).toEqual(expected(history));
  });

  test(fixture.bad ? 'yields the wanted findings and no other of its rule' : 'yields no finding of its rule', () => {
    const findings = allFindings(linted(fixture).report.findings).filter(({ rule }) => rule === fixture.rule);
    const left = [...fixture.wants];
    const unwanted = findings.flatMap(({ span, message }) => {
      const line = lineOf(fixture, span.path, span.start);
      const at = left.findIndex(want => want.path === span.path && want.line === line && message.includes(want.message));
      if (at >= 0) left.splice(at, 1);
      return at >= 0 ? [] : [`${span.path}:${line} ${message}`];
    });
    const missing = left.map(({ path, line, message }) => `${path}:${line} ${message}`);
    expect({ missing, unwanted }).toEqual({ missing: [], unwanted: [] });
    expect(fixture.wants.length > 0).toBe(fixture.bad);
  });
});

test('a rule has nothing to say of the deploys that it is not asked of', () => {
  const everywhere = rules.map(({ meta, check }) => ({ meta, check }));
  for (const fixture of fixtures) expect(lintFixture(fixture, everywhere).report, fixture.name).toEqual(linted(fixture).report);
});

test('messages are one plain sentence: no advice, no hedging', () => {
  const messages = fixtures.flatMap(fixture => allFindings(linted(fixture).report.findings).map(({ message }) => message));
  expect(messages.filter(message => !/^[A-Za-z"][^\n]*[^.\s]\.$/.test(message) || /[.!?] [A-Z]/.test(message)
    || /\b(may|might|could|consider|should|please|try)\b/i.test(message))).toEqual([]);
});

test('every finding has a place, and its evidence ends there', () => {
  const findings = fixtures.flatMap(fixture => allFindings(linted(fixture).report.findings));
  expect(findings.filter(({ span }) => span.end <= span.start)).toEqual([]);
  const apart = findings.filter(({ rule, span, evidence }) => {
    const ends = (place = evidence.at(-1)): boolean =>
      place?.span.path === span.path && place.span.start < span.end && span.start < place.span.end;
    // What breaks a refresh is the finding; the refresh that fails stands elsewhere and ends the evidence.
    return !ends() && !(rule === 'no-broken-refresh' && ends(evidence[0]));
  });
  expect(apart.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
});

test('every rule has two bad and two good fixtures, and every fixture a rule', () => {
  const ids = readdirSync(rulesRoot).filter(file => file.endsWith('.ts') && file !== 'index.ts').map(file => file.slice(0, -3));
  const named = (id: string, bad: boolean): number => fixtures.filter(fixture => fixture.rule === id && fixture.bad === bad).length;
  expect(ids.filter(id => named(id, true) < 2 || named(id, false) < 2)).toEqual([]);
  expect(fixtures.filter(({ rule }) => !ids.includes(rule)).map(({ rule }) => rule)).toEqual([]);
});

test('the meta of every rule is complete', () => {
  for (const { meta } of rules) {
    expect(meta.id).toMatch(/^(no|prefer|require)(-[a-z]+)+$/);
    const first = { no: 'Disallow', prefer: 'Prefer', require: 'Require' }[meta.id.split('-')[0] as 'no' | 'prefer' | 'require'];
    expect(meta.summary.startsWith(`${first} `) && meta.summary.endsWith('.'), `summary of ${meta.id}`).toBe(true);
    expect(meta.why.trim().length, `why of ${meta.id}`).toBeGreaterThan(100);
    expect(meta.fix.trim().length, `fix of ${meta.id}`).toBeGreaterThan(60);
    expect(meta.references.length, `references of ${meta.id}`).toBeGreaterThan(0);
  }
});

test('a fixture is read with its places, and its expectations never reach the linter', () => {
  const fixture = parseFixture('r', 'bad', [
    '-- options: pending=002_*.sql', '-- 001_a.sql', 'select 1; -- want "one" confirmed -- want "two"', 'select 2; -- refused 55000',
    '-- 002_b.sql', 'select 3;',
  ].join('\n'));
  expect(fixture.options).toEqual({ pending: '002_*.sql' });
  const place = { path: '001_a.sql', line: 1 };
  expect(fixture.wants).toEqual([{ ...place, message: 'one', verdict: 'confirmed' }, { ...place, message: 'two' }]);
  expect(fixture.refused).toEqual([{ path: '001_a.sql', line: 2, sqlstate: '55000' }]);
  expect(fixture.files.map(({ text }) => text.replaceAll(/ +$/gm, ''))).toEqual(['select 1;\nselect 2;', 'select 3;']);
  expect(() => parseFixture('r', 'bad', '-- options: colour=red\n-- a.sql')).toThrow('no such option');
});
