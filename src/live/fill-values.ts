/** A column of a table to be filled, as the catalog tells. */
export interface FillColumn {
  readonly name: string;
  /** Position in the table. */
  readonly at: number;
  /** `format_type`, the base type under domains, and its category letter. */
  readonly type: string;
  readonly base: string;
  readonly category: string;
  /** The type modifier of the base type, or -1. */
  readonly typmod: number;
  readonly notNull: boolean;
  readonly labels: readonly string[];
  readonly element?: string;
  /** How many attributes a composite type has; 0 for every other type. */
  readonly attributes?: number;
}

/** How distinct a column's values must be. */
export type Spread = 'key' | 'few';

/** Values that conditions compare a column with, found in checks, partitions and view definitions. */
export type Hints = ReadonlyMap<string, readonly string[]>;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A number that looks random and is the same for the same row and column, so that any two conditions hold together in some row. */
export const mixed = (column: Pick<FillColumn, 'at'>): string => `(hashint8(i * 64 + ${column.at}) & 1073741823)`;

/** An expression over `i` (1, 2, …) for a base type, or undefined when mvlint knows no values of it. Keys differ for every i; others repeat. */
function byType(column: FillColumn, spread: Spread): string | undefined {
  const key = spread === 'key';
  const some = mixed(column);
  const n = key ? 'i' : `(${some} % 10 + 1)`;
  // From forty days ago to ten days ahead: windows behind and before the clock both find rows.
  const hours = key ? '-i' : `(${some} % 1200 - 960)`;
  const { base, typmod } = column;
  if (column.category === 'E') return column.labels.length > 0 ? `(ARRAY[${column.labels.map(quoted).join(', ')}])[${key ? '(i - 1)' : some} % ${column.labels.length} + 1]` : undefined;
  switch (base) {
    case 'smallint': return key ? 'i % 32767' : n;
    case 'integer': case 'bigint': case 'oid': case 'real': case 'double precision': case 'money': return n;
    case 'numeric': {
      const [precision, scale] = typmod < 4 ? [18, 2] : [((typmod - 4) >> 16) & 0xffff, (typmod - 4) & 0x7ff];
      const whole = Math.max(0, precision - scale);
      return whole === 0 ? `i / (10 ^ ${scale})::numeric` : `${key ? 'i' : `(${some} % 100 + 1)`} % (10 ^ ${Math.min(whole, 12)})::numeric`;
    }
    case 'text': case 'name': case 'citext': return `'value ' || ${n}`;
    case 'character varying': case 'character': case 'bpchar': {
      const length = typmod > 4 ? typmod - 4 : base === 'character varying' ? 40 : 1;
      return length < 10 ? `right(lpad(${n}::text, ${length}, '0'), ${length})` : `'value ' || ${n}`;
    }
    case '"char"': return `chr((96 + i % 26 + 1)::int)`;
    case 'boolean': return `${some} % 2 = 0`;
    case 'date': return key ? `current_date - i::int` : `current_date + (${some} % 50 - 40)::int`;
    case 'timestamp without time zone': return `localtimestamp + ${hours} * interval '1 hour'`;
    case 'timestamp with time zone': return `now() + ${hours} * interval '1 hour'`;
    case 'time without time zone': case 'time with time zone': return `(time '00:00' + i * interval '1 second')`;
    case 'interval': return `${n} * interval '1 minute'`;
    case 'uuid': return `md5(${n}::text)::uuid`;
    case 'json': case 'jsonb': return `jsonb_build_object('id', ${n}, 'name', 'value ' || ${n})`;
    case 'xml': return `('<a>' || ${n} || '</a>')`;
    case 'bytea': return `convert_to(${n}::text, 'UTF8')`;
    case 'inet': case 'cidr': return `(inet '10.0.0.0' + ${n})`;
    case 'macaddr': return `('02:00:00:' || to_char(${n} / 10000 % 100, 'FM00') || ':' || to_char(${n} / 100 % 100, 'FM00') || ':' || to_char(${n} % 100, 'FM00'))`;
    case 'bit': case 'bit varying': return typmod > 0 ? `lpad('', ${typmod}, (i % 2)::text)` : `(i % 2)::text`;
    case 'point': return `point(i, i)`;
    case 'tsvector': return `to_tsvector('simple', 'value ' || ${n})`;
    case 'int4range': return 'int4range(i::int * 10, i::int * 10 + 5)';
    case 'int8range': return 'int8range(i * 10, i * 10 + 5)';
    case 'numrange': return 'numrange(i * 10, i * 10 + 5)';
    case 'daterange': return `daterange(current_date + i::int * 10, current_date + i::int * 10 + 5)`;
    case 'tsrange': return `tsrange(localtimestamp + i * interval '10 hours', localtimestamp + i * interval '10 hours 30 minutes')`;
    case 'tstzrange': return `tstzrange(now() + i * interval '10 hours', now() + i * interval '10 hours 30 minutes')`;
    case 'int4multirange': return '\'{[\' || i * 10 || \',\' || i * 10 + 5 || \')}\'';
    case 'int8multirange': case 'nummultirange': return '\'{[\' || i * 10 || \',\' || i * 10 + 5 || \')}\'';
    case 'datemultirange': return 'datemultirange(daterange(current_date + i::int * 10, current_date + i::int * 10 + 5))';
    case 'tsmultirange': return "tsmultirange(tsrange(localtimestamp + i * interval '10 hours', localtimestamp + i * interval '10 hours 30 minutes'))";
    case 'tstzmultirange': return "tstzmultirange(tstzrange(now() + i * interval '10 hours', now() + i * interval '10 hours 30 minutes'))";
    case 'box': case 'lseg': return `'((0,0),(' || ${n} || ',1))'`;
    case 'path': case 'polygon': return `'((0,0),(' || ${n} || ',0),(0,1))'`;
    case 'circle': return `'<(0,0),' || ${n} || '>'`;
    case 'line': return `'{1,-1,' || ${n} || '}'`;
    case 'macaddr8': return `macaddr8(('02:00:00:' || to_char(${n} / 10000 % 100, 'FM00') || ':' || to_char(${n} / 100 % 100, 'FM00') || ':' || to_char(${n} % 100, 'FM00'))::macaddr)`;
    case 'pg_lsn': return `'0/' || to_hex(${n})`;
    case 'tsquery': return `'value' || ${n}`;
    case 'jsonpath': return `'$.a' || ${n}`;
    case 'xid': case 'cid': case 'xid8': return `${n}::text`;
    case 'tid': return `'(0,' || ${n} || ')'`;
    case 'regclass': return "'pg_class'";
    case 'regtype': return "'text'";
    case 'hstore': return `'id => ' || ${n}`;
    case 'ltree': return `'top.n' || ${n}`;
    default: return undefined;
  }
}

/** Whether some rows are to have NULL. */
export const hasNull = ({ notNull }: FillColumn): boolean => !notNull;

/** The element's own expression for arrays of one or two elements, so that unnest repeats some rows and not others. */
export function ownValue(column: FillColumn, spread: Spread): string | undefined {
  if (column.attributes !== undefined && column.attributes > 0) return quoted(`(${','.repeat(column.attributes - 1)})`);
  if (column.element !== undefined) {
    const inner = byType({ ...column, base: column.element, category: column.labels.length > 0 ? 'E' : '' }, spread);
    const other = { ...column, at: column.at + 8, base: column.element, category: column.labels.length > 0 ? 'E' : '' };
    const second = inner === undefined || spread === 'key' ? undefined : byType(other, spread);
    if (inner === undefined || second === undefined) return inner === undefined ? undefined : `ARRAY[${inner}]::text[]`;
    return `CASE WHEN ${mixed({ at: column.at + 24 })} % 3 = 0 THEN ARRAY[${inner}]::text[] ELSE ARRAY[${inner}, ${second}]::text[] END`;
  }
  return byType(column, spread);
}

/**
 * The SQL expression that fills a column in row `i`. Values that conditions mention are mixed in (`only`: nothing else), so that a view's WHERE and
 * a CHECK find rows. Undefined: no value is known; the column's default or NULL has to do.
 */
export function valueOf(column: FillColumn, spread: Spread, hints: Hints, only: boolean): string | undefined {
  const own = ownValue(column, spread);
  // A quarter of a nullable column is NULL, so that IS NULL finds rows too.
  const nullable = (expression: string): string => (column.notNull || spread === 'key' ? expression : `CASE WHEN ${mixed({ ...column, at: column.at + 32 })} % 4 > 0 THEN ${expression} END`);
  const mentioned = spread === 'key' || column.category === 'E' || column.base === 'boolean' || column.element !== undefined ? [] : hints.get(column.name) ?? [];
  const cast = (expression: string): string => `(${expression})::text::${column.type}`;
  if (mentioned.length === 0) return own === undefined ? undefined : nullable(column.element === undefined ? cast(own) : `(${own})::${column.type}`);
  const choices = mentioned.map(quoted);
  const count = only || own === undefined ? choices.length : choices.length + 1;
  const cases = choices.map((choice, at) => `WHEN ${at} THEN ${choice}`).join(' ');
  return nullable(`(CASE ${mixed(column)} % ${count} ${cases}${count > choices.length ? ` ELSE (${own})::text` : ''} END)::${column.type}`);
}

const comparison = /(?:\b|")([A-Za-z_][\w$]*)"?\)*(?:::[\w ]+?)?\)*\s*(?:=|<>|>=|<=|>|<|~~\*?|=\s*ANY|BETWEEN|IN)\s*(\(*(?:ARRAY\[)?(?:\s*,?\s*\(?(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?)(?:::[\w ]+(?:\(\d+(?:,\d+)?\))?)?\)?)+)/g;
const literal = /'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)/g;

/** Column name → literals that Postgres's printed conditions compare it with (`status = 'paid'::text`, `x = ANY (ARRAY['a'::text, …])`, `n >= 100`). */
export function hintsOf(definitions: readonly string[]): Hints {
  const hints = new Map<string, string[]>();
  for (const definition of definitions)
    for (const [, column = '', list = ''] of definition.matchAll(comparison)) {
      const known = hints.get(column) ?? [];
      for (const [, text, number] of list.replaceAll(/::[\w ]+(?:\(\d+(?:,\d+)?\))?/g, '').matchAll(literal)) {
        const value = text?.replaceAll("''", "'").replaceAll('%', '') ?? number ?? '';
        if (!known.includes(value) && known.length < 20) known.push(value);
        // A bound is met on both sides: x > 100 needs 101.
        if (number !== undefined && /^-?\d+$/.test(number)) for (const near of [Number(number) + 1, Number(number) - 1]) if (!known.includes(String(near))) known.push(String(near));
      }
      hints.set(column, known);
    }
  return hints;
}
