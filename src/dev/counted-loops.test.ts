import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import ts from 'typescript';
import { countedLoops } from './counted-loops.ts';

/** Bodies of `(log: (…values: unknown[]) => void) => void`, what they log, and how many loops ask for an iterator afterwards. */
const programs: Readonly<Record<string, { readonly body: string; readonly logs: readonly unknown[]; readonly left?: number }>> = {
  'an array': { body: 'for (const one of [1, 2, 3]) { log(one); }', logs: [1, 2, 3] },
  'a body without braces': { body: 'for (const one of [1, 2]) if (one > 1) log(one); else log(0);', logs: [0, 2] },
  'loops without braces in each other': { body: 'for (const a of [1, 2]) for (const b of [a, 10]) log(a * b);', logs: [1, 10, 4, 20] },
  'an array that grows meanwhile': { body: 'const list = [1]; for (const one of list) { log(one); if (one < 4) list.push(one + 1); }', logs: [1, 2, 3, 4] },
  'an array that shrinks meanwhile': { body: 'const list = [1, 2, 3]; for (const one of list) { log(one); list.pop(); }', logs: [1, 2] },
  'an array that is replaced meanwhile': { body: 'let list = [1, 2]; for (const one of list) { log(one); list = []; }', logs: [1, 2] },
  'continue and break, with labels': {
    body: 'outer: for (const a of [1, 2, 3, 4]) { for (const b of [1, 2]) { if (a === 2) continue outer; if (a === 4) break outer; if (b === 2) continue; log(a); } }', logs: [1, 3],
  },
  'closures': { body: 'const all: (() => number)[] = []; for (const one of [1, 2]) all.push(() => one); log(all[0]!(), all[1]!());', logs: [1, 2] },
  'a variable of its own': { body: 'for (let one of [1, 2]) { one += 1; log(one); }', logs: [2, 3] },
  'a union of arrays': { body: 'const list: string[] | readonly number[] = Math.max(1, 2) > 1 ? [7] : ["a"]; for (const one of list) log(one);', logs: [7] },
  'a type that extends an array': { body: 'const each = <T extends readonly number[]>(list: T): void => { for (const one of list) log(one); }; each([5]);', logs: [5] },
  'nothing else than an array': { body: 'for (const one of (undefined as readonly number[] | undefined) ?? []) log(one);', logs: [] },
  'a pattern of items': { body: 'for (const [a, , [b, c]] of [[1, 2, [3, 4]]] as [number, number, [number, number]][]) log(a, b, c);', logs: [1, 3, 4] },
  'a pattern of fields': { body: 'for (const { a, b = 5 } of [{ a: 1 }, { a: 2, b: 3 }] as { a: number; b?: number }[]) log(a, b);', logs: [1, 5, 2, 3] },
  'numbered items': { body: 'for (const [at, one] of ["a", "b"].entries()) log(at, one);', logs: [0, 'a', 1, 'b'] },
  'numbers alone': { body: 'for (const [at] of ["a", "b"].entries()) log(at);', logs: [0, 1] },
  'numbered items with a pattern': { body: 'for (const [at, [a, b]] of ([["x", 1]] as [string, number][]).entries()) log(at, a, b);', logs: [0, 'x', 1] },
  'a declaration': { body: 'const [a, [b, c]] = [1, [2, 3]] as [number, [number, number]], d = a; log(a, b, c, d);', logs: [1, 2, 3, 1] },
  'a declaration inside of a loop without braces': { body: 'for (const one of [1]) log(((): number => { const [a, b] = [one, 2]; return a + b; })());', logs: [3] },
  'items of a map': { body: 'for (const [key, value] of new Map([["a", 1]])) log(key, value);', logs: ['a', 1], left: 1 },
  'items of a map, without braces': { body: 'for (const [key, [a]] of new Map([["a", [1]]] as [string, [number]][])) log(key, a);', logs: ['a', 1], left: 1 },
  'numbered items of a map': { body: 'for (const [key, value] of new Map([["a", 1]]).entries()) log(key, value);', logs: ['a', 1], left: 1 },
  'a set': { body: 'for (const one of new Set([1, 1, 2])) log(one);', logs: [1, 2], left: 1 },
  'a string, in code points': { body: 'for (const one of "a😀") log(one);', logs: ['a', '😀'], left: 1 },
  'a generator': { body: 'function* two() { yield 1; yield 2; } for (const one of two()) log(one);', logs: [1, 2], left: 1 },
  'an array or a set': { body: 'const some: number[] | Set<number> = Math.max(1, 2) > 1 ? new Set([4]) : [5]; for (const one of some) log(one);', logs: [4], left: 1 },
  'what nobody knows': { body: 'const some: any = new Set([4]); for (const one of some) log(one);', logs: [4], left: 1 },
  'defaults and rests': { body: 'for (const [a = 1, ...rest] of [[undefined, 2, 3]]) log(a, ...rest); const [b = 4] = [] as number[]; log(b);', logs: [1, 2, 3, 4] },
};

const folder = mkdtempSync(join(tmpdir(), 'mvlint-counted-loops-'));
const fileOf = (at: number): string => `program-${at}.ts`;
let rewrite: (file: string) => string | undefined;
beforeAll(() => {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { target: 'es2023', lib: ['es2023'], strict: true, types: [] } }));
  Object.values(programs).forEach(({ body }, at) => writeFileSync(join(folder, fileOf(at)), `(log: (...values: unknown[]) => void): void => {\n${body}\n};\n`));
  rewrite = countedLoops(folder, Object.keys(programs).map((_, at) => fileOf(at)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs one; ends a loop that does not. */
function logsOf(source: string): readonly unknown[] {
  const logs: unknown[] = [];
  const log = (...values: readonly unknown[]): void => {
    if (logs.push(...values) > 100) throw new Error('it does not end');
  };
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.None } });
  (0, eval)(outputText.trim().replace(/;$/, ''))(log);
  return logs;
}

describe('loops that count do what the plain ones do', () => {
  it.each(Object.keys(programs).map((name, at) => [name, at] as const))('%s', (name, at) => {
    const { body, logs, left = 0 } = programs[name]!;
    const rewritten = rewrite(join(folder, fileOf(at)))!;
    expect(logsOf(`(log) => { ${body} };`), 'as it is written').toEqual(logs);
    expect(logsOf(rewritten), 'as it is bundled').toEqual(logs);
    expect(rewritten.match(/\bof (?!\w+ =)/g)?.length ?? 0).toBe(left);
    expect(rewritten.split('\n')).toHaveLength(4);
  });

  it('a file that nothing reaches stays as it is', () => expect(rewrite(join(folder, 'stranger.ts'))).toBeUndefined());
});
