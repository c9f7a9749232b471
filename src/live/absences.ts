import type { History, SqlFailure } from '../model.ts';

/** Refusals that speak of something that is not there: table, column, type or role, function, schema, extension, prepared statement. */
const notThere = new Set(['42P01', '42703', '42704', '42883', '3F000', '0A000', '26000', '58P01']);
/** Of these, what an extension may have brought. */
const mayComeFromExtension = new Set(['42P01', '42704', '42883', '3F000']);

/** Names in a message of Postgres: `relation "app.orders" does not exist`, `function st_area(geometry) does not exist`. Without schemas. */
function namesIn(message: string): readonly string[] {
  const quoted = [...message.matchAll(/"([^"]+)"/g)].map(match => match[1] ?? '');
  const called = [...message.matchAll(/\b(?:function|procedure|aggregate) ([\w.$]+)\(([^)]*)\)/g)].flatMap(match => [match[1] ?? '', ...(match[2] ?? '').split(/,\s*/)]);
  return [...quoted, ...called].map(name => name.split('.').at(-1) ?? '').filter(name => name !== '');
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []);

/**
 * What the laboratory lacks and a real server would have: extensions, and whatever the statements that were left out would have made. A refusal
 * that speaks of such a thing says nothing about the history.
 */
export class Absences {
  private readonly extensions = new Set<string>();
  /** Words of the statements that were left out. */
  private readonly words = new Set<string>();
  private readonly history: History;
  private made: ReadonlySet<string> | undefined;

  constructor(history: History) {
    this.history = history;
  }

  get some(): boolean {
    return this.extensions.size > 0 || this.words.size > 0;
  }

  addExtension(name: string): void {
    this.extensions.add(name);
  }

  /** A statement that was left out. */
  add(sql: string): void {
    for (const word of wordsOf(sql.slice(0, 100_000))) this.words.add(word);
  }

  /** Why a refusal is the laboratory's own; undefined when it may be the history's. */
  explain({ sqlstate, message }: SqlFailure): string | undefined {
    if (!this.some || !notThere.has(sqlstate)) return undefined;
    const names = namesIn(message).map(name => name.toLowerCase());
    if (names.some(name => this.words.has(name))) return `it needs what was left out before it: ${message}`;
    if (this.extensions.size === 0 || !mayComeFromExtension.has(sqlstate) || names.some(name => this.createdNames().has(name))) return undefined;
    return `it needs what an extension brings that the laboratory has not (${[...this.extensions].join(', ')}): ${message}`;
  }

  /** Every name after a CREATE in the history's text. */
  private createdNames(): ReadonlySet<string> {
    if (this.made) return this.made;
    const made = new Set<string>();
    const pattern = /\bcreate\s+(?:[a-z]+\s+){1,4}?(?:if\s+not\s+exists\s+)?(?:(?:"[^"]+"|[\w$]+)\s*\.\s*)?("[^"]+"|[\w$]+)\s*(?:\(|\bas\b|\bon\b|;|$)/gi;
    const statements = this.history.migrations.flatMap(({ up }) => up.flatMap(unit => unit.statements));
    for (const { sql } of statements)
      for (const [, name = ''] of sql.matchAll(pattern)) made.add(name.replaceAll('"', '').toLowerCase());
    this.made = made;
    return made;
  }
}
