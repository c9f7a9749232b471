import { expect, test } from 'vitest';
import { refreshesInSource } from './search.ts';

const found = (text: string): readonly string[] =>
  refreshesInSource('app/x', text).map(({ target, concurrently, span }) =>
    `${target.schema ?? ''}.${target.name} ${concurrently} ${text.slice(span.start, span.end)}`);

test.each([
  ['await db.query("REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales");', ['.daily_sales true REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales']],
  ["cursor.execute('''\n  refresh materialized\n view reports.monthly\n''')", ['reports.monthly false refresh materialized\n view reports.monthly']],
  ['connection.execute %q{REFRESH MATERIALIZED VIEW "Mixed Case"}', ['."Mixed Case" false'.replaceAll('"', '').replace(' false', '') + ' false REFRESH MATERIALIZED VIEW "Mixed Case"']],
  ['sql`REFRESH MATERIALIZED VIEW ${name}`', []],
  ['sql`REFRESH MATERIALIZED VIEW mv_${tenant}`', []],
  ['"REFRESH MATERIALIZED VIEW " + name + ";"', []],
  ['"REFRESH MATERIALIZED VIEW %s" % name', []],
  ['// refresh materialized view daily at night', []],
  ['# REFRESH MATERIALIZED VIEW daily', []],
  ['"REFRESH MATERIALIZED VIEW a; REFRESH MATERIALIZED VIEW b"', ['.a false REFRESH MATERIALIZED VIEW a', '.b false REFRESH MATERIALIZED VIEW b']],
])('%s', (text, sites) => {
  expect(found(text)).toEqual(sites);
});
