import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ToolId } from '../model.ts';
import { memoryFiles } from './files.ts';
import { readHistories, sourceText } from './read.ts';

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
  '-- mvlint-ignore a: b\n', '\n', '\r\n', '\uFEFF', '😀', '\\set x 1;2\n', '-- +goose Down\n', 'COPY t FROM stdin;\n', '\\.\n', '{{y}}',
    '('];

const project = (path: string): string => readFileSync(join(import.meta.dirname, '../../fixtures/projects', path), 'utf8');
const seeds = [project('psql/db/deploy.sql'), project('psql/db/schema/10_cic.sql'), project('flyway/sql/R__sales_views.sql'),
  project('golang-migrate/migrations/000002_daily_sales.up.sql')];
const places: readonly (readonly [ToolId, string])[] = [['psql', 'm/1.sql'], ['flyway', 'm/V1__a.sql'], ['golang-migrate', 'm/1_a.up.sql'],
  ['prisma', 'm/1/migration.sql']];

test('mutated sources never throw, and every span, origin and gap stays inside its source', () => {
  const random = numbers(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let round = 0; round < 1500; round++) {
    let text = pick(seeds);
    for (let change = Math.floor(random() * 6); change >= 0; change--) {
      const at = Math.floor(random() * (text.length + 1));
      text = text.slice(0, at) + (random() < 0.7 ? pick(scraps) : '') + text.slice(at + Math.floor(random() * random() * 40));
    }
    const [tool, path] = pick(places);
    const files = memoryFiles({ [path]: text, 'm/b.sql': 'SELECT :x, ${x};' });
    const { histories } = readHistories(files, { tool });
    for (const { migrations, gaps } of histories) {
      const statements = migrations.flatMap(({ up, down = [] }) => [...up, ...down].flatMap(unit => unit.statements));
      const spans = [...gaps.map(({ span }) => span),
        ...statements.flatMap(({ span, origins, ignores }) =>
        [span, ...origins.map(origin => origin.span), ...ignores.map(ignore => ignore.span)])];
      for (const span of spans) {
        const { length } = sourceText(files, span.path) ?? '';
        if (!(0 <= span.start && span.start <= span.end && span.end <= length)) {
          expect.fail(`${JSON.stringify(span)} is outside of ${JSON.stringify(text)} (${tool})`);
        }
      }
      for (const { sql, origins } of statements) {
        let at = 0;
        for (const origin of origins) {
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
