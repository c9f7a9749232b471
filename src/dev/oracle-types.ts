/**
 * How well mvlint resolves what Postgres resolves: generated expressions are made views, and the function, operator and conversion of
 * every node, and the type of
 * the column, are compared with the tree in pg_rewrite.
 *
 *     npm run oracle:types                          3,500 expressions on PGlite (PostgreSQL 18)
 *     npm run oracle:types -- --count 10000 --seed 7
 *     npm run oracle:types -- --server 14           on a real server (npm run servers -- 14)
 *
 * Every difference is listed. Ends with 1 when fewer than 99.5 % are equal, or more than 0.2 % wrong.
 */
import { PGlite } from '@electric-sql/pglite';
import { parseArgs } from 'node:util';
import { withServer } from './server.ts';
import { judgeTypes, type Figures } from './types-oracle.ts';

const { values } = parseArgs({ options: {
  count: { type: 'string', default: '3500' }, seed: { type: 'string', default: '1' }, server: { type: 'string' },
} });

async function onPglite(): Promise<Figures> {
  const db = await PGlite.create();
  try {
    return await judgeTypes(async sql => (await db.query<Record<string, unknown>>(sql)).rows, 18, Number(values.seed),
      Number(values.count));
  } finally {
    await db.close();
  }
}

const onServer = (major: number): Promise<Figures> => withServer(major, async server => {
  const client = await server.connect();
  return judgeTypes(async sql => (await client.query(sql)).rows as Record<string, unknown>[], major, Number(values.seed),
    Number(values.count));
});

const started = Date.now();
const figures = values.server === undefined ? await onPglite() : await onServer(Number(values.server));
const of = (verdict: string): number => figures.judged.filter(item => item.verdict === verdict).length;
const share = (number: number): string => `${(100 * number / figures.judged.length).toFixed(2)} %`;
for (const { verdict, form, query, differences } of figures.judged) {
  if (verdict !== 'equal') console.log(`${verdict} (${form}): ${query}\n    ${differences.join('\n    ')}`);
}
const forms = [...new Set(figures.judged.map(item => item.form))].map(form => `${form} ${figures.judged.filter(item => item.form === form).length}`);
console.log(`\n${figures.judged.length} expressions (${forms.join(', ')}); Postgres refused ${figures.refused} more; ${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`equal ${of('equal')} (${share(of('equal'))}), unknown ${of('unknown')} (${share(of('unknown'))}), wrong ${of('wrong')} (${share(of('wrong'))})`);
process.exitCode = of('equal') / figures.judged.length >= 0.995 && of('wrong') / figures.judged.length <= 0.002 ? 0 : 1;
