import { builtins, type Builtins, type BuiltinType } from '../builtins/builtins.ts';
import { once } from '../memo.ts';
import type { Known, ObjectId, Relation, Type, Volatility } from '../model.ts';
import { quoteName } from '../sql/print.ts';
import { isUnknown } from './scope.ts';
import type { Surroundings } from './surroundings.ts';

/** A type of PostgreSQL, without a modifier. Two are the same when their keys are. */
export interface SqlType {
  /** pg_type.typname of a built-in type; of others a key that no name has. Arrays end with `[]`. */
  readonly key: string;
  /** As format_type prints it with the modifier -1, for a session whose path is public. */
  readonly printed: string;
  readonly kind: BuiltinType['kind'] | 'array';
  readonly category: string;
  readonly preferred: boolean;
  /** Of true arrays (int2vector and oidvector among them): what get_element_type gives. */
  readonly element?: SqlType;
  /** What `x[1]` is where the type is no array (`name`, `point` …). */
  readonly part?: string;
  readonly range?: { readonly subtype: string; readonly range: string; readonly multirange: string };
  /** Of a domain: its type, as printed with its modifier; absent when that is not known. */
  readonly base?: Typed;
  /** Of a composite type: its fields; unknown where they are not. */
  readonly fields?: Known<readonly { readonly name: string; readonly type: Known<string> }[]>;
  readonly id?: ObjectId;
  /** Volatility of the input and output function. */
  readonly input: Volatility;
  readonly output: Volatility;
}

/** A type with its modifier as it stands in what format_type prints: the printed text is equal exactly when type and modifier are. */
export interface Typed {
  readonly type: SqlType;
  readonly text: string;
}

const arrayOf = (element: SqlType): SqlType => ({
  key: `${element.key}[]`, printed: `${element.printed}[]`, kind: 'array', category: 'A', preferred: false, element,
  // array_in and array_out are stable, because those of the element may be (pg_type).
  input: 'stable', output: 'stable',
});

/** Built-in types by key, a table a major; they are the same in every analysis. */
const shared = new Map<number, Map<string, SqlType | undefined>>();

function builtinType(table: Builtins, key: string): SqlType | undefined {
  let known = shared.get(table.major);
  if (known === undefined) shared.set(table.major, (known = new Map()));
  if (known.has(key)) return known.get(key);
  const made = key.endsWith('[]') ? builtinArray(table, key.slice(0, -2)) : plain(table, table.type(key));
  known.set(key, made);
  return made;
}

function builtinArray(table: Builtins, key: string): SqlType | undefined {
  const element = builtinType(table, key);
  return element === undefined || table.type(key)?.hasArray !== true ? undefined : arrayOf(element);
}

function plain(table: Builtins, row: BuiltinType | undefined): SqlType | undefined {
  if (row === undefined) return undefined;
  const { name, printed, kind, category, preferred, element, range, input, output } = row;
  const inner = element?.array === true ? builtinType(table, element.type) : undefined;
  return {
    key: name, printed, kind, category, preferred, input, output, ...(inner === undefined ? {} : { element: inner }),
    ...(element?.array === false ? { part: element.type } : {}), ...(range === undefined ? {} : { range }),
  };
}

/** What texts of built-in types were read as, by major. */
const texts = new Map<number, Map<string, Typed>>();
const mostTexts = 1_000;

/** The words of format_type that a modifier changes: `character(3)` is bpchar, and so is `character` in a declaration. */
const words: Readonly<Record<string, string>> = { character: 'bpchar', bit: 'bit', 'char': 'char' };
const modifier = /\(-?\d+(?:,-?\d+)?\)/;
const identifier = String.raw`(?:"(?:[^"]|"")+"|[^\s"'.()[\]]+)`;
const written = new RegExp(String.raw`^(?:(${identifier})\.)?(${identifier})$`, 'u');
const plainName = (text: string): string => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);

/** The types that one analysis may meet: those of a major, and those of the history. Never throws; an unknown type is undefined. */
export class Types {
  readonly builtins: Builtins;
  readonly #around: Surroundings;
  readonly #parsed = new Map<string, Typed | undefined>();
  /** Texts of built-in types, which mean the same in every analysis. */
  readonly #ofBuiltins: Map<string, Typed>;
  readonly #own = new Map<string, SqlType>();

  constructor(around: Surroundings) {
    this.#around = around;
    this.builtins = builtins(around.postgres);
    const { major } = this.builtins;
    this.#ofBuiltins = texts.get(major) ?? new Map<string, Typed>();
    texts.set(major, this.#ofBuiltins);
  }

  /** A type by key. The built-in tables name only types that they hold, so a missing one is our mistake: it throws. */
  named(key: string): SqlType {
    const found = this.#own.get(key) ?? builtinType(this.builtins, key);
    if (found === undefined) throw new Error(`no type ${key}`);
    return found;
  }

  /** The type that format_type printed, or that a history wrote. */
  parse(text: Known<string>): Typed | undefined {
    if (isUnknown(text)) return undefined;
    const known = this.#parsed.get(text) ?? this.#ofBuiltins.get(text);
    if (known !== undefined || this.#parsed.has(text)) return known;
    const type = this.#parse(text);
    // A domain's own modifier is not printed, and a type without one prints as its key does.
    const result = type === undefined ? undefined : { type, text: modifier.test(text) || /^interval /.test(text) ? text : type.printed };
    const isBuiltin = type !== undefined && builtinType(this.builtins, type.key) === type;
    if (isBuiltin && this.#ofBuiltins.size < mostTexts) this.#ofBuiltins.set(text, result!);
    else this.#parsed.set(text, result);
    return result;
  }

  #parse(text: string): SqlType | undefined {
    if (text.endsWith('[]')) {
      const element = this.parse(text.slice(0, -2))?.type;
      return element === undefined ? undefined : this.arrayOf(element);
    }
    const bare = text.replace(modifier, '');
    const printed = /^interval\b/.test(bare) ? 'interval' : bare;
    const row = this.builtins.typePrinted(words[printed] ?? printed);
    if (row !== undefined) return builtinType(this.builtins, row.name);
    const [, schema, name] = written.exec(text) ?? [];
    if (name === undefined) return undefined;
    if (schema !== undefined && plainName(schema) === 'pg_catalog') return this.find(plainName(name), 'pg_catalog');
    return this.find(plainName(name), schema === undefined ? undefined : plainName(schema));
  }

  /** A type by its name in a catalog; the built-in one wins unless a schema is given, because pg_catalog is searched first. */
  find(name: string, schema?: string): SqlType | undefined {
    if (schema === undefined || schema === 'pg_catalog') {
      const row = this.builtins.type(name);
      if (row !== undefined) return builtinType(this.builtins, row.name);
      if (schema === 'pg_catalog') return undefined;
    }
    const row = this.#own.get(`row ${quoteName({ schema: schema ?? 'public', name })}`);
    if (row !== undefined) return row;
    const found = this.#around.findType({ ...(schema === undefined ? {} : { schema }), name });
    return found.is === 'present' ? this.#ofHistory(found.object) : undefined;
  }

  #ofHistory(type: Type): SqlType | undefined {
    const key = `type ${type.id}`;
    const known = this.#own.get(key);
    if (known !== undefined) return known;
    const made = this.#made(type, key);
    if (made !== undefined) this.#own.set(key, made);
    return made;
  }

  #made(type: Type, key: string): SqlType | undefined {
    const base = { key, printed: quoteName(type.name), preferred: false, id: type.id, input: 'stable', output: 'stable' } as const;
    switch (type.form) {
      case 'enum':
        return { ...base, kind: 'enum', category: 'E' };
      case 'composite':
        return { ...base, kind: 'composite', category: 'C', fields: fieldsOf(type.detail) };
      case 'domain': {
        const [text] = type.detail;
        const under = text === undefined ? undefined : this.parse(text);
        return under === undefined ? undefined
          : { ...base, kind: 'domain', category: under.type.category, base: under, input: under.type.input, output: under.type.output };
      }
      // The catalog does not say what a range is made of; a shell is not a type yet.
      case 'range':
      case 'shell':
        return undefined;
    }
  }

  /** The row type of a relation. */
  rowOf(relation: Relation): SqlType | undefined {
    if (relation.kind === 'index' || relation.kind === 'sequence') return undefined;
    const printed = quoteName(relation.name);
    const key = `row ${printed}`;
    const known = this.#own.get(key);
    if (known?.id === relation.id) return known;
    const made: SqlType = {
      key, printed, kind: 'composite', category: 'C', preferred: false, id: relation.id, input: 'stable', output: 'stable',
      fields: isUnknown(relation.columns) ? relation.columns : relation.columns.map(({ name, type }) => ({ name, type })),
    };
    this.#own.set(key, made);
    this.#parsed.set(printed, { type: made, text: printed });
    return made;
  }

  arrayOf(element: SqlType): SqlType | undefined {
    if (element.kind === 'array') return undefined;
    if (element.id === undefined) return builtinType(this.builtins, `${element.key}[]`);
    const key = `${element.key}[]`;
    const known = this.#own.get(key) ?? arrayOf(element);
    this.#own.set(key, known);
    return known;
  }

  /** getBaseType: what a domain is made of at last. */
  baseOf(type: SqlType): SqlType {
    let at = type;
    for (let depth = 0; at.base !== undefined && depth < 32; depth += 1) at = at.base.type;
    return at;
  }
}

/** `name type` of each field, as the catalog keeps them. */
function fieldsOf(detail: readonly string[]): SqlType['fields'] & {} {
  const fields = detail.map(item => /^("(?:[^"]|"")+"|[^\s"]+) (.+)$/u.exec(item));
  if (detail.length === 0 || fields.includes(null)) return { unknown: 'the fields of the type' };
  return fields.map(match => ({ name: plainName(match![1]!), type: match![2]! }));
}

/** The types that a query in these surroundings sees. */
export const typesIn = once((around: Surroundings): Types => new Types(around));
