import { beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { turns } from '../catalog/order.ts';
import { lint } from '../lint.ts';
import { proveClaims, type Proof } from '../live/prove.ts';
import type { Claim, History, Migration, Refusal, Rule, Statement } from '../model.ts';
import { diskFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { ready } from '../sql/parse.ts';
import { allFindings, fixturesRoot, historyOf, lintFixture, loadRules, readFixtures, type Fixture } from './fixtures.ts';

/** What is proved: a history by name, with its claims and the refusals that the replay foretells. */
interface Case {
  readonly name: string;
  readonly fixture?: Fixture;
  readonly history: History;
  readonly claims: readonly Claim[];
  readonly predicted: ReadonlyMap<number, Refusal>;
}

/** Between two cases: no schema but public, no role but the superuser. */
const emptied = `DO $$ DECLARE it text; BEGIN
  FOR it IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', it);
  END LOOP;
  FOR it IN SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper LOOP
    EXECUTE format('DROP OWNED BY %I', it);
    EXECUTE format('DROP ROLE %I', it);
  END LOOP;
  CREATE SCHEMA public;
END $$`;

function clearing(name: string): Migration {
  const statement: Statement = { sql: emptied, span: { path: `${name}/clear`, start: 0, end: emptied.length }, origins: [], ignores: [] };
  return {
    id: `${name}/clear`, path: `${name}/clear`, kind: 'versioned', deploy: -1, shipped: false,
    up: [{ scope: 'none', scopeId: `${name}/clear`, protocol: 'single', statements: [statement] }],
  };
}

const length = (history: History): number => [...turns(history)].length;

/**
 * Proves every case on one server, one after the other with an empty database between them: starting a server costs more than all of the
 * experiments in it. The verdicts come back by the claims of the cases.
 */
async function proveAll(cases: readonly Case[]): Promise<Proof> {
  const migrations: Migration[] = [];
  const shifted = new Map<Claim, Claim>();
  const predicted = new Map<number, Refusal>();
  let offset = 0;
  for (const { name, history, claims, predicted: own } of cases) {
    migrations.push(clearing(name), ...history.migrations.map(migration => ({
      ...migration, id: `${name}/${migration.id}`, up: migration.up.map(unit => ({ ...unit, scopeId: `${name}/${unit.scopeId}` })),
    })));
    for (const claim of claims) shifted.set({ ...claim, ordinal: claim.ordinal + offset + 1 }, claim);
    for (const [ordinal, refusal] of own) predicted.set(ordinal + offset + 1, refusal);
    offset += length(history) + 1;
  }
  const history: History = { id: 'fixtures', tool: 'psql', root: '', migrations, ignored: [], gaps: [] };
  const proof = await proveClaims(history, [...shifted.keys()], predicted, { budget: 100_000, postgres: 18 });
  return { ...proof, verdicts: new Map([...proof.verdicts].map(([claim, verdict]) => [shifted.get(claim) ?? claim, verdict])) };
}

let rules: readonly Rule[];
let cases: readonly Case[];
let demo: Case;
let proof: Proof;

beforeAll(async () => {
  await ready();
  rules = await loadRules();
  const fixtures = readFixtures().filter(({ wants }) => wants.some(({ verdict }) => verdict !== undefined)).map((fixture): Case => {
    const history = historyOf(fixture);
    const [result] = lintFixture(fixture, rules, history).claims;
    // The other rules' claims have fixtures of their own.
    const claims = (result?.claims ?? []).filter(({ finding }) => finding.rule === fixture.rule);
    return { name: `${fixture.rule}/${fixture.name}`, fixture, history, claims, predicted: result?.predicted ?? new Map() };
  });
  const [history] = readHistories(diskFiles(join(fixturesRoot, 'projects/demo'))).histories;
  const [result] = lint([history!], rules, { postgres: 18, preset: 'recommended', rules: {}, allHistory: false }).claims;
  demo = { name: 'demo', ...result! };
  cases = [...fixtures, demo];
  proof = await proveAll(cases);
});

test('Postgres does what the replay foretells', () => {
  expect(proof.surprises.map(({ span, predicted, seen }) => `${span.path}:${span.start} ${predicted?.sqlstate} ${seen?.sqlstate} ${seen?.message}`)).toEqual([]);
});

test('every wanted verdict is reached', () => {
  const wrong = cases.flatMap(({ name, fixture, claims }) => (fixture?.wants ?? []).flatMap(want => {
    const verdicts = claims.filter(({ finding }) => {
      const text = fixture?.files.find(({ path }) => path === finding.span.path)?.text ?? '';
      return finding.span.path === want.path && finding.message.includes(want.message) && text.slice(0, finding.span.start).split('\n').length === want.line;
    }).map(claim => proof.verdicts.get(claim));
    const seen = verdicts[0];
    if (seen?.kind === want.verdict) return [];
    return [`${name} ${want.path}:${want.line} wants ${want.verdict ?? 'no experiment'}, seen ${seen ? `${seen.kind}: ${seen.says}` : 'no experiment'}`];
  }));
  expect(wrong).toEqual([]);
});

test('the demo: each finding is confirmed, and what is right stays silent', () => {
  const findings = allFindings(demo.claims.map(({ finding }) => ({ ...finding, also: [] })));
  expect(demo.claims.map(claim => `${claim.finding.rule} ${proof.verdicts.get(claim)?.kind}`).filter(line => !line.endsWith(' confirmed'))).toEqual([]);
  expect([...new Set(findings.map(({ rule, span }) => `${span.path} ${rule}`))].sort()).toEqual([
    '004_customer_totals.sql require-unique-index',
    '006_open_orders.sql no-nondeterministic-output',
    '008_count_orders.sql no-broken-refresh',
    '008_count_orders.sql no-lost-index',
    '008_count_orders.sql no-lost-privileges',
    '008_count_orders.sql no-recreate-in-place',
    '009_backfill.sql no-impossible-refresh',
    '009_backfill.sql prefer-concurrent-refresh',
    '011_clean_up.sql no-drop-cascade',
  ]);
});
