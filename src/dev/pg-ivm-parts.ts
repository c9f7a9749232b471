import { random } from './history.ts';
import type { Source } from './pg-ivm-expressions.ts';

/** A query in parts, so that a fault can be put into any of them. */
export interface Parts {
  with: string[];
  recursive: boolean;
  distinct: string;
  targets: string[];
  from: string[];
  sources: Source[];
  where: string[];
  group: string[];
  tail: string[];
  /** What makes another statement of it, in front: EXPLAIN. */
  verb?: string;
  /** The table of SELECT INTO. */
  into?: string;
  /** It aggregates, or has an outer join, an EXISTS, a CTE. */
  form: string;
}

/** What a generator picks with. */
export class Dice {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = random(seed);
  }
  chance(share: number): boolean {
    return this.next() < share;
  }
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }
  some<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(Math.floor(this.next() * rest.length), 1)[0]!);
  }
  upTo(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

export const over = (text: string, alias: string): string => text.replace(/@(?=\.)/g, alias);
export const poolOf = (pool: Readonly<Record<string, readonly string[]>>, alias: string): readonly string[] =>
  pool[alias.replace(/\d+$/, '')] ?? pool[''] ?? [];

/** The text of a query. Unnamed expressions and repeated columns get names of their own. */
export function print(parts: Parts): string {
  const seen = new Set<string>();
  const targets = parts.targets.map((text, at) => {
    if (/\bas (?:\w+|"[^"]+")$/i.test(text) || text.endsWith('*')) return text;
    const name = /^[\w"]+\.("?[\w ]+"?)$/.exec(text)?.[1];
    if (name !== undefined && !seen.has(name)) {
      seen.add(name);
      return text;
    }
    return `${text} as t${at}`;
  });
  return [
    ...parts.verb === undefined ? [] : [parts.verb],
    ...parts.with.length === 0 ? [] : [`with ${parts.recursive ? 'recursive ' : ''}${parts.with.join(', ')}`],
    `select ${[parts.distinct, targets.join(', ')].filter(text => text !== '').join(' ')}`,
    ...parts.into === undefined ? [] : [`into ${parts.into}`],
    ...parts.from.length === 0 ? [] : [`from ${parts.from.join(', ')}`],
    ...parts.where.length === 0 ? []
      : [`where ${parts.where.map(text => (/ or /i.test(text) && !text.startsWith('exists') ? `(${text})` : text)).join(' and ')}`],
    ...parts.group.length === 0 ? [] : [`group by ${parts.group.join(', ')}`],
    ...parts.tail,
  ].join(' ');
}
