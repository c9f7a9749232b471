import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ToolId } from '../model.ts';
import { memoryFiles } from './files.ts';
import { readHistories, sourceText } from './read.ts';
import { originsOf } from '../sql/span.ts';

/** Deterministic numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const scraps = ['${x}', '${flyway:defaultSchema}', '_${', '}', ':x', ':"x"', ':\'x\'', '\\if :x\n', '\n\\endif\n', '\\else\n',
  '\\ir b.sql\n', '\\gexec\n', ';', '\'', '"', '$$', '/*', '*/',
  '-- mvlint-ignore a: b\n', '\n', '\r\n', '\uFEFF', '😀', '\\set x 1;2\n', '-- +goose Down\n', '-- +goose StatementBegin\n', '-- +goose StatementEnd\n', '-- +goose ENVSUB ON\n',
  '-- +goose NO TRANSACTION\n', '-- migrate:up transaction:false\n', '-- migrate:down\n', '--> statement-breakpoint', '---- create above / drop below ----',
  '---- tern: disable-tx ----\n', '{{ template "shared/room_income_v1.sql" . }}', '{{ .income }}', '-- atlas:delimiter @@\n', '@@', '-- atlas:txmode none\n\n',
  '--! no-transaction\n', '--! include best_rooms.sql\n', ':REPORTING_ROLE', ':X', '--liquibase formatted sql\n', '--changeset a:1 endDelimiter:@@\n', '--changeset b:2\n',
  '--rollback ', '/* liquibase rollback ', 'BEGIN;', '-- no-transaction\n', '-- hasura:no-transaction\n', 'COPY t FROM stdin;\n', '\\.\n', '{{y}}',
    '('];

const project = (path: string): string => readFileSync(join(import.meta.dirname, '../../fixtures/projects', path), 'utf8');
/** One place for each tool; the text goes through its reader whatever it says. */
const seeds = [project('psql/db/deploy.sql'), project('psql/db/schema/10_cic.sql'), project('flyway/sql/R__sales_views.sql'),
  project('golang-migrate/migrations/000002_daily_sales.up.sql'), project('goose/db/migrations/00002_room_income.sql'),
  project('goose/db/migrations/20250104090000_one_line.sql'), project('dbmate/db/migrations/20250104090000_two_statements.sql'),
  project('tern/migrations/002_room_income.sql'), project('atlas/migrations/20250102090000_room_income.sql'), project('liquibase/db/changes/010-base.sql'),
  project('liquibase/db/changes/later/030-best.sql'), project('graphile-migrate/migrations/committed/000002.sql'), project('graphile-migrate/migrations/current.sql'),
  project('drizzle/drizzle/0001_room_income.sql'), project('sqitch/deploy/room_income.sql')];
const places: readonly (readonly [ToolId, string])[] = [['psql', 'm/1.sql'], ['flyway', 'm/V1__a.sql'], ['golang-migrate', 'm/1_a.up.sql'],
  ['prisma', 'm/1/migration.sql'], ['goose', 'm/1_a.sql'], ['dbmate', 'm/1_a.sql'], ['drizzle', 'm/1/migration.sql'], ['supabase', 'm/1_a.sql'],
  ['sqlx', 'm/1_a.sql'], ['diesel', 'm/1_a/up.sql'], ['hasura', 'm/1_a/up.sql'], ['atlas', 'm/1_a.sql'], ['graphile-migrate', 'm/committed/000001.sql'],
  ['graphile-migrate', 'm/current.sql'], ['tern', 'm/1_a.sql'], ['refinery', 'm/V1__a.sql'], ['pgmigrate', 'migrations/V1__a.sql'], ['sqitch', 'deploy/a.sql'],
  ['liquibase', 'm/a.sql']];
/** What the readers find beside the migrations: configurations, templates, includes, the plan. */
const beside = {
  'm/tern.conf': '[data]\nincome = room_income\n', '.gmrc': '{"migrationsFolder":"m","placeholders":{":REPORTING_ROLE":"!ENV",":X":"y"}}',
  'm/fixtures/best_rooms.sql': 'SELECT 1;\n--! include best_rooms.sql\n', 'm/shared/room_income_v1.sql': '{{ template "shared/room_income_v1.sql" . }}SELECT {{ .income }};',
  'sqitch.plan': '%project=p\na 2025-01-01T00:00:00Z n <n@example.com>\n', 'migrations.yml': 'conn: x\n', 'm/1/snapshot.json': '{}',
};

test('mutated sources never throw, and every span, origin and gap stays inside its source', () => {
  const random = numbers(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let round = 0; round < 4000; round++) {
    let text = pick(seeds);
    for (let change = Math.floor(random() * 6); change >= 0; change--) {
      const at = Math.floor(random() * (text.length + 1));
      text = text.slice(0, at) + (random() < 0.7 ? pick(scraps) : '') + text.slice(at + Math.floor(random() * random() * 40));
    }
    const [tool, path] = pick(places);
    const files = memoryFiles({ ...beside, 'm/b.sql': 'SELECT :x, ${x};', [path]: text });
    const { histories } = readHistories(files, { tool });
    for (const { migrations, gaps, problems = [] } of histories) {
      const statements = migrations.flatMap(({ up, down = [] }) => [...up, ...down].flatMap(unit => unit.statements));
      const spans = [...gaps.map(({ span }) => span), ...problems.flatMap(({ span, evidence = [] }) => [span, ...evidence.map(one => one.span)]),
        ...statements.flatMap(statement =>
        [statement.span, ...originsOf(statement).map(origin => origin.span), ...statement.ignores.map(ignore => ignore.span)])];
      for (const span of spans) {
        const { length } = sourceText(files, span.path) ?? '';
        if (!(0 <= span.start && span.start <= span.end && span.end <= length)) {
          expect.fail(`${JSON.stringify(span)} is outside of ${JSON.stringify(text)} (${tool})`);
        }
      }
      for (const statement of statements) {
        const { sql } = statement;
        let at = 0;
        for (const origin of originsOf(statement)) {
          if (origin.start !== at) expect.fail(`origins leave a hole in ${JSON.stringify(sql)}`);
          at = origin.end;
        }
        if (at !== sql.length) expect.fail(`origins end before ${JSON.stringify(sql)} does`);
      }
    }
  }
});

test('placeholders without an end cost no more than a look', () => {
  const start = performance.now();
  readHistories(memoryFiles({ 'm/V1__a.sql': '${'.repeat(300_000) + '}', 'n/1.sql': `SELECT ${'${'.repeat(300_000)}}` }));
  expect(performance.now() - start).toBeLessThan(5000);
});
