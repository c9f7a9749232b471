import { beforeAll, expect, test } from 'vitest';
import { emptyCatalog, type Store } from '../catalog/store.ts';
import type { Matview, Statement, Table } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { factsOf } from './facts.ts';
import { lowerQuery } from './lower.ts';
import { isUnknown } from './scope.ts';

/** Queries that use results over and over: what is known of their rows must not grow with every use. */

let catalog: Store;

beforeAll(async () => {
  catalog = emptyCatalog();
  catalog.complete = true;
  catalog.put({
    kind: 'table', id: catalog.newId(), name: { schema: 'public', name: 't' }, owner: 'postgres', options: new Map(), grants: new Map(),
      persistence: 'permanent',
    inherits: [], partitioned: false, rowSecurity: false, constraints: [{ name: 't_pkey', kind: 'primary key', columns: ['id'] }],
    columns: [{ name: 'id', type: 'integer', notNull: true }, { name: 'a', type: 'integer', notNull: true }, { name: 'b', type: 'text',
      notNull: false }],
  } satisfies Table);
});

/** The keys of a query, and the milliseconds that finding them took. */
function keysOf(query: string): { readonly keys: string; readonly time: number } {
  const sql = `create materialized view m as ${query}`;
  const parsed = parse(sql);
  if (!parsed.ok || !('CreateTableAsStmt' in parsed.node)) throw new Error('no view');
  const span = { path: 'q.sql', start: 0, end: sql.length };
  const statement: Statement = { sql, span, ignores: [] };
  const lowered = lowerQuery(statement, parsed.node.CreateTableAsStmt.query!, catalog);
  const view: Matview = {
    kind: 'matview', id: catalog.newId(), name: { schema: 'public', name: 'm' }, owner: 'postgres', columns: lowered.columns,
      query: lowered.query,
    options: new Map(), grants: new Map(), populated: true, everPopulated: true, statistics: new Map(),
  };
  const started = performance.now();
  const { keys } = factsOf(view, catalog);
  return { keys: isUnknown(keys) ? 'unknown' : keys.map(key => `(${key.join()})`).join(' '), time: performance.now() - started };
}

const list = (count: number, of: (at: number) => string, by = ', '): string => Array.from({ length: count }, (_, at) => of(at)).join(by);

test.each([
  ['a CTE used twice at each of thirty levels', `with ${list(30,
    at => (at === 0 ? 'c0 as (select id, a from t)'
      : `c${at} as (select x.id, y.a from c${at - 1} x join c${at - 1} y on x.id = y.id)`))} select * from c29`, '(id)'],
  ['the same with full joins', `with ${list(30, at => (at === 0 ? 'c0 as (select id, a from t)'
    : `c${at} as (select x.id, y.a from c${at - 1} x full join c${at - 1} y on x.id = y.id)`))} select * from c29`, undefined],
  ['a CTE of columns that nobody knows, used twice at each of two hundred levels', `with ${list(200,
    at => (at === 0 ? 'c0 as (select * from nowhere)' : `c${at} as (select x.* from c${at - 1} x, c${at - 1} y)`))} select count(*) as n from c199`, '()'],
  ['twelve grouping CTEs, each joined with the one before',
    `with ${list(12, at => `c${at} as (select x.id, x.a, max(y.b) as b, ${at === 0 ? 'x.id'
      : 'p.id'} as pid from t x left join t y on y.a = x.id ${at === 0 ? ''
        : `left join c${at - 1} p on p.id = x.a`} group by x.id, ${at === 0 ? 'x.id' : 'p.id'})`)} select * from c11`, '(id)'],
  ['sixty outer joins', `select a0.id from t a0 ${list(60, at => `left join t a${at + 1} on a${at + 1}.id = a${at}.a`, ' ')}`, '(id)'],
  ['sixty joins that multiply', `select ${list(61, at => `a${at}.id as i${at}`)} from t a0 ${list(60,
    at => `join t a${at + 1} on a${at + 1}.a = a${at}.a`, ' ')}`, undefined],
  ['sixty expressions under DISTINCT', `select distinct ${list(60, at => `a + ${at} as i${at}`)} from t`, undefined],
  ['a thousand branches', list(1000, at => `select '${at}' as src, id from t`, ' union all '), undefined],
  ['nine hundred rows of VALUES', `select * from (values ${list(900,
    at => `(${list(8, k => String(at % (k + 2)))})`)}) v(a, b, c, d, e, f, g, h)`, undefined],
])('%s', (_, query, wanted) => {
  keysOf(query);
  const { keys, time } = keysOf(`${query} `);
  if (wanted !== undefined) expect(keys).toBe(wanted);
  // Generous for a busy machine: what grows with every level takes minutes.
  expect(time).toBeLessThan(1500);
  process.stdout.write(process.env['MVLINT_TIMES'] === undefined ? '' : `${_}: ${time.toFixed(1)} ms ${keys.slice(0, 60)}\n`);
});
