import { expect, test } from 'vitest';
import type { Ignore } from '../model.ts';
import { memoryFiles } from './files.ts';
import { readHistories } from './read.ts';

/** What each ignore of a file covers: the text of the statement in the body; undefined where it covers the whole statement. */
function covered(text: string): { readonly found: readonly (string | undefined)[]; readonly gaps: number } {
  const [history] = readHistories(memoryFiles({ 'db/001.sql': text }), { tool: 'psql' }).histories;
  const ignores: readonly Ignore[] = history!.migrations.flatMap(({ up }) => up).flatMap(unit => unit.statements).flatMap(one => one.ignores);
  expect(ignores.every(({ span }) => text.slice(span.start, span.end).includes('mvlint-ignore'))).toBe(true);
  return { found: ignores.map(({ of }) => of && text.slice(of.start, of.end)), gaps: history!.gaps.length };
}
const it = '-- mvlint-ignore r: why';

test.each([
  ['above', `begin\n  ${it}\n  refresh materialized view a;\n  refresh materialized view b;\nend`, 'refresh materialized view a'],
  ['at the end', `begin\n  perform 1;\n  refresh materialized view a; ${it}\n  perform 2;\nend`, 'refresh materialized view a'],
  ['inside', `begin\n  refresh materialized view\n  ${it}\n  a;\nend`, `refresh materialized view\n  ${it}\n  a`],
  ['above other comments', `begin\n  ${it}\n  -- and more\n  perform 1;\nend`, 'perform 1'],
  ['above a compound statement', `begin\n  ${it}\n  if a then perform 1; else perform case when b then 2 else 3 end; end if;\n  perform 4;\nend`,
    'if a then perform 1; else perform case when b then 2 else 3 end; end if'],
  ['in a branch', `begin\n  if a then\n    perform 1;\n  else\n    ${it}\n    perform 2;\n  end if;\nend`, 'perform 2'],
  ['above a loop', `begin\n  ${it}\n  for i in 1..2 loop perform 1; end loop;\nend`, 'for i in 1..2 loop perform 1; end loop'],
  ['in a handler', `begin\n  perform 1;\nexception when others then\n  ${it}\n  perform 2;\nend`, 'perform 2'],
  ['above a block of its own', `begin\n  ${it}\n  declare a int; begin perform 1; end;\n  perform 2;\nend`, 'declare a int; begin perform 1; end'],
  ['above the last statement of an SQL body', `select 1;\n${it}\nselect 2`, 'select 2'],
  ['above a merge', `begin\n  ${it}\n  merge into a using b on true when matched then delete;\nend`, 'merge into a using b on true when matched then delete'],
])('an ignore %s', (_, body, wanted) => {
  expect(covered(`do $$${body}$$;`)).toEqual({ found: [wanted], gaps: 0 });
  expect(covered(`create function f() returns void language plpgsql as $a$${body}$a$;`)).toEqual({ found: [wanted], gaps: 0 });
});

test('a quoted body counts its escapes, a text inside of a body is one', () => {
  expect(covered(`do 'begin perform ''a''; ${it}\n perform 2; end';`)).toEqual({ found: [`perform ''a''`], gaps: 0 });
  expect(covered(`do $$ begin execute $q$${it}\nrefresh materialized view a$q$; end $$;`)).toEqual({ found: ['refresh materialized view a'], gaps: 0 });
});

test('what stands at no statement is a gap; what is data is nothing', () => {
  expect(covered(`do $$ begin\n${it}\n\nperform 1;\nend $$;`)).toEqual({ found: [], gaps: 1 });
  expect(covered(`insert into t values ('${it}'); do $$ begin raise notice '${it}'; end $$;`)).toEqual({ found: [], gaps: 0 });
});

test('an ignore around a body covers the statement that holds it', () => {
  expect(covered(`${it}\ndo $$ begin perform 1; end $$;`)).toEqual({ found: [undefined], gaps: 0 });
});

test('bodies that end in the middle, and long ones, are read in time', () => {
  for (const body of ['begin', 'begin if', 'end end end;', 'case case then else', ';;;', `${it}`, `loop ${it}`]) covered(`do $$ ${body} $$;`);
  const started = performance.now();
  covered(`do $$ begin ${`if a then\n${it}\nif b then\n`.repeat(20_000)} end $$;`);
  covered(`do $$ begin ${`${it}\nperform case when 1 then\n`.repeat(20_000)} end $$;`);
  expect(performance.now() - started).toBeLessThan(4_000);
});
