import { expect, test } from 'vitest';
import { newMemo, once } from './memo.ts';

test('a function is computed once an object, also when it finds nothing', () => {
  let asked = 0;
  const find = once((of: { readonly name: string }): string | undefined => {
    asked += 1;
    return of.name === '' ? undefined : of.name.toUpperCase();
  });
  const [one, none] = [{ name: 'one' }, { name: '' }];
  expect([find(one), find(one), find(none), find(none), asked]).toEqual(['ONE', 'ONE', undefined, undefined, 2]);
});

test('what is known stays with the object: no copy has it, no list of its properties shows it', () => {
  const memo = newMemo<object, string>();
  const one = { name: 'one' };
  memo.set(one, 'known');
  memo.set(one, 'known better');
  expect(memo.get(one)).toBe('known better');
  expect([memo.has({ ...one }), memo.get({ ...one }), memo.has(structuredClone(one))]).toEqual([false, undefined, false]);
  expect([Reflect.ownKeys(one), JSON.stringify(one)]).toEqual([['name'], '{"name":"one"}']);
  expect(one).toEqual({ name: 'one' });
});

test('memos do not meet, on plain objects, lists, functions and instances of classes', () => {
  const [first, second] = [newMemo<object, number>(), newMemo<object, number>()];
  for (const of of [{}, [1, 2], () => {}, new Map(), new (class { #value = 1; read = () => this.#value; })()]) {
    first.set(of, 1);
    expect([first.get(of), second.has(of), second.get(of)]).toEqual([1, false, undefined]);
    second.set(of, 2);
    expect([first.get(of), second.get(of)]).toEqual([1, 2]);
  }
});

test('what is known of an object goes with it', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const memo = newMemo<object, object>();
  const known = ((): WeakRef<object> => {
    const [of, value] = [{}, { of: 'it' }];
    memo.set(of, { value, of });
    return new WeakRef(value);
  })();
  await new Promise(done => setTimeout(done));
  collect();
  expect(known.deref()).toBeUndefined();
});
