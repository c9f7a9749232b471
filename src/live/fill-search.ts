import type { Rows, SqlFailure } from '../model.ts';
import { quoteIdent, quoteLiteral } from '../sql/print.ts';
import { textsLike, textsMatching } from './fill-patterns.ts';
import { hasNull, mixed, ownValue, type FillColumn, type Hints, type Spread } from './fill-values.ts';

type Run = (sql: string) => Promise<Rows | SqlFailure>;

/** A CHECK of a table or of a domain, as Postgres prints it. */
export interface Condition {
  readonly text: string;
  /** The columns it speaks of; of a domain: those of the domain's type. */
  readonly columns: readonly string[];
  readonly ofDomain: boolean;
}

/** How many values of a column are tried out. */
const sample = 120;
const textTypes = new Set(['text', 'character varying', 'character', 'bpchar', 'name', 'citext']);
const numberTypes = new Set(['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'oid', 'money']);

/** An array literal of texts, indexed by the row. */
const among = (texts: readonly string[], index: string): string => `(ARRAY[${texts.map(text => `${quoteLiteral(text)}::text`).join(', ')}])[${index} % ${texts.length} + 1]`;

/** Expressions over `i` whose text may do for a column: what its type suggests, and what its conditions ask for. */
function candidates(column: FillColumn, spread: Spread, hints: Hints, conditions: readonly Condition[]): readonly string[] {
  const { base, element, typmod } = column;
  const n = spread === 'key' ? 'i' : `(${mixed(column)} % 10 + 1)`;
  const index = spread === 'key' ? '(i - 1)' : mixed(column);
  const own = ownValue(column, spread);
  const mentioned = [...hints.get(column.name) ?? [], ...(conditions.some(({ ofDomain }) => ofDomain) ? hints.get('VALUE') ?? [] : [])];
  const text = conditions.map(condition => condition.text).join('\n');
  const literals = [...text.matchAll(/'((?:[^']|'')*)'/g)].map(match => (match[1] ?? '').replaceAll("''", "'"));
  const found: string[] = own === undefined ? [] : [own];
  if (mentioned.length > 0 && element === undefined) found.push(among(mentioned, index));
  if (element !== undefined) {
    for (const literal of new Set([...mentioned, ...literals].slice(0, 6))) found.push(`ARRAY[${quoteLiteral(literal)}]::text[]`);
    found.push("'{}'");
  } else if (textTypes.has(base)) {
    for (const [, operator = '', quoted = ''] of text.matchAll(/(!?~~?\*?)\s*\(?'((?:[^']|'')*)'/g)) {
      const pattern = quoted.replaceAll("''", "'");
      const texts = operator.startsWith('!') ? undefined : operator.startsWith('~~') ? textsLike(pattern, sample) : textsMatching(pattern, sample);
      if (texts) found.push(among(texts, index));
    }
    const length = typmod > 4 ? typmod - 4 : 3;
    const letters = `translate(lpad(${n}::text, ${Math.min(length, 8)}, '0'), '0123456789', 'ABCDEFGHIJ')`;
    found.push(`'VALUE ' || ${n}`, `(1000 + ${n})::text`, letters, `lower(${letters})`, `'user' || ${n} || '@example.org'`, `'https://example.org/' || ${n}`, `md5(${n}::text)`);
  } else if (numberTypes.has(base)) {
    found.push(`${n} % 5 + 1`, `1000 + ${n}`, `2 * ${n}`, `round(${n} / 11.0, 2)`, `-${n}`, "'0'");
  } else if (base.startsWith('timestamp') || base === 'date') found.push(`date '2001-01-01' + ${n}::int`, `current_date + ${n}::int`, `current_date - 400 - ${n}::int`);
  else if (base === 'json' || base === 'jsonb') found.push("'[]'", "'{}'", `${n}::text`, `jsonb_build_array(${n})`);
  return found;
}

interface Tested { readonly expression: string; readonly passing: number; readonly distinct: number }

/** Whether Postgres takes every value of an expression for the column, and how many meet the conditions on it alone. */
async function tested(run: Run, column: FillColumn, expression: string, conditions: readonly Condition[]): Promise<Tested | undefined> {
  const alone = conditions.filter(({ ofDomain, columns }) => !ofDomain && columns.length === 1 && columns[0] === column.name).map(({ text }) => `(${text}) IS NOT FALSE`);
  const name = quoteIdent(column.name);
  const answer = await run(`SELECT count(*) FILTER (WHERE ${alone.length > 0 ? alone.join(' AND ') : 'true'})::int AS passing, count(DISTINCT ${name}::text)::int AS different
    FROM (SELECT (${expression})::text::${column.type} AS ${name} FROM generate_series(1::bigint, ${sample}) AS i) AS t`);
  const row = 'sqlstate' in answer ? undefined : answer.rows[0];
  return row && Number(row['passing']) > 0 ? { expression, passing: Number(row['passing']), distinct: Number(row['different']) } : undefined;
}

/**
 * An expression for the column whose values Postgres takes: the candidates are offered to it, and those that meet the conditions on the column alone
 * are mixed; a key takes the one with most different values. Undefined where none does: the column's default or NULL has to do.
 */
export async function searched(run: Run, column: FillColumn, spread: Spread, hints: Hints, conditions: readonly Condition[]): Promise<string | undefined> {
  const own = conditions.filter(({ columns }) => columns.includes(column.name));
  const found: Tested[] = [];
  for (const expression of new Set(candidates(column, spread, hints, own))) {
    const one = await tested(run, column, expression, own);
    if (one) found.push(one);
    // Nothing asks for other values: the first that Postgres takes will do.
    if (own.length === 0 && !hints.has(column.name) && one?.passing === sample && (spread === 'few' || one.distinct === sample)) break;
  }
  const cast = (expression: string): string => `(${expression})::text::${column.type}`;
  if (spread === 'key') {
    const best = found.toSorted((a, b) => Math.min(b.passing, b.distinct) - Math.min(a.passing, a.distinct))[0];
    return best && cast(best.expression);
  }
  const good = found.filter(({ passing }) => passing * 2 >= sample);
  const mixture = (good.length > 0 ? good : found).slice(0, 6);
  if (mixture.length === 0) return undefined;
  const cases = mixture.map(({ expression }, at) => `WHEN ${at} THEN ${cast(expression)}`).join(' ');
  const value = mixture.length === 1 ? cast(mixture[0]?.expression ?? 'NULL') : `CASE ${mixed({ ...column, at: column.at + 16 })} % ${mixture.length} ${cases} END`;
  return hasNull(column) && 'rows' in await run(`SELECT NULL::${column.type}`)
    ? `CASE WHEN ${mixed({ ...column, at: column.at + 32 })} % 4 > 0 THEN ${value} END` : value;
}
