/**
 * What pure functions have found out about objects, kept on the objects themselves, where nobody else sees it: it goes with the object, and a spread does not
 * copy it. A WeakMap does the same and costs more: what its table holds outlives the small collections of garbage together with all that it refers to, and each
 * of them looks through the table (measured: without such tables 1,000 files spend a third less time on collections).
 */

/** What is known of objects. */
export interface Memo<K extends object, V> {
  readonly has: (of: K) => boolean;
  /** Undefined when nothing is known, and where that was found out. */
  readonly get: (of: K) => V | undefined;
  readonly set: (of: K, value: V) => void;
}

/** Its constructor gives back what it was given: a class that extends it puts its private field there. */
class Given {
  constructor(of: object) {
    return of;
  }
}

/** A memo of its own. One for each function, made when its module is loaded: every memo is another hidden field of the objects that it knows. */
export function newMemo<K extends object, V>(): Memo<K, V> {
  return class Slot extends Given {
    #value: V;

    constructor(of: K, value: V) {
      super(of);
      this.#value = value;
    }

    static has(this: void, of: K): boolean {
      return #value in of;
    }

    static get(this: void, of: K): V | undefined {
      return #value in of ? of.#value : undefined;
    }

    static set(this: void, of: K, value: V): void {
      if (#value in of) of.#value = value;
      else new Slot(of, value);
    }
  };
}

/** The same function, computed once an object. It must be pure, and what it reads of the object must not change. */
export function once<K extends object, V>(find: (of: K) => V): (of: K) => V {
  const memo = newMemo<K, V>();
  return of => {
    if (memo.has(of)) return memo.get(of) as V;
    const value = find(of);
    memo.set(of, value);
    return value;
  };
}
