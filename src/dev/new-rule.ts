/** `npm run new-rule -- <id>`: a rule and its two fixtures, to be filled. The tests fail until they are. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixturesRoot, rulesRoot } from './fixtures.ts';

/** The files of a new rule, by absolute path. The prose is empty and `bad.sql` wants a finding that no check yields. */
export function skeleton(id: string): ReadonlyMap<string, string> {
  const rule = `import { rule } from '../src/rule.ts';

export default rule({
  id: '${id}',
  summary: '',
  severity: 'error',
  postgres: { from: 14 },
  why: '',
  fix: '',
  references: [],
  check: {},
});
`;
  const fixture = (expectation: string): string => `-- 001_orders.sql
create table orders (id bigint primary key, total numeric not null);
create materialized view totals as select count(*) as orders, sum(total) as total from orders;${expectation}
`;
  return new Map([
    [join(rulesRoot, `${id}.ts`), rule],
    [join(fixturesRoot, id, 'bad.sql'), fixture(' -- want "the message" confirmed')],
    [join(fixturesRoot, id, 'good.sql'), fixture('')],
  ]);
}

/** What is wrong with the name of a new rule, or undefined. */
export function objection(id: string): string | undefined {
  if (!/^(no|prefer|require)(-[a-z0-9]+)+$/.test(id))
    return 'a rule id begins with no-, prefer- or require- and is lower-case: npm run new-rule -- no-lost-index';
  return existsSync(join(rulesRoot, `${id}.ts`)) ? `there is a rule ${id} already` : undefined;
}

if (process.argv[1] === import.meta.filename) {
  const id = process.argv[2] ?? '';
  const wrong = objection(id);
  if (wrong !== undefined) {
    process.stderr.write(`new-rule: ${wrong}\n`);
    process.exitCode = 2;
  } else {
    mkdirSync(join(fixturesRoot, id), { recursive: true });
    for (const [path, text] of skeleton(id)) {
      writeFileSync(path, text);
      process.stdout.write(`${path}\n`);
    }
    process.stdout.write('Fill them in, then npm run generate.\n');
  }
}
