import type { Node } from './tree.ts';
import { utf16OfBytes, utf16OfCodePoint } from './offsets.ts';
import { takeAhead, type Found } from './ahead.ts';
import { ParserOverflow, withParser } from './wasm.ts';

export type Parsed =
  | { readonly ok: true; readonly node: Node }
  /** `message` is Postgres's own for syntax errors; `at` is a UTF-16 offset into the text. */
  | { readonly ok: false; readonly message: string; readonly at: number };

/** One element of libpg_query's PL/pgSQL tree: a one-key object such as `{ PLpgSQL_function: { … } }`. Lines count inside the body. */
export type PlpgsqlNode = Readonly<Record<string, unknown>>;
export type ParsedPlpgsql =
  | { readonly ok: true; readonly functions: readonly PlpgsqlNode[] }
  | { readonly ok: false; readonly message: string };

/**
 * Trees nested deeper than this many objects and lists are refused: a recursive reader of the tree would run out of stack.
 * `1+1+…` nests two a term, a UNION ALL chain one.
 */
export const deepestTree = 2000;
const tooDeep = 'expression too deep to parse';

// A pure cache by text: the same statement is asked for by the reader, the replay and the rules. Two generations: when the young one is
// full it becomes the old one, and what nobody asked for since is forgotten. Few are kept: a tree that lives through collections of garbage
// is copied by each of them, which costs more than parsing now and then again (measured: 1,000 files a twentieth sooner than with 256).
let young = new Map<string, Parsed>();
let old = new Map<string, Parsed>();
let weight = 0;
const mostEntries = 16;
const mostWeight = 8 * 1024 * 1024;

/**
 * Parses exactly one statement with the grammar of PostgreSQL 18; `node` is the inner statement (`{ CreateStmt: … }`). Every
 * location in it is a UTF-16 offset into `sql` (a missing one is 0, -1 is unknown). Pure: nobody may change the tree. Never
 * throws for any text, where the parser can be loaded.
 */
export function parse(sql: string): Parsed {
  const known = young.get(sql);
  if (known !== undefined) return known;
  const older = old.get(sql);
  const fresh = older === undefined ? parseAnew(sql) : { parsed: older, weight: sql.length * 8 };
  remember(sql, fresh.parsed, fresh.weight);
  return fresh.parsed;
}

/** `heavy` is a guess at the size of the tree in bytes. */
function remember(sql: string, parsed: Parsed, heavy: number): void {
  if (heavy > mostWeight / 4) return;
  if (young.size >= mostEntries || weight + heavy > mostWeight) {
    old = young;
    young = new Map();
    weight = 0;
  }
  young.set(sql, parsed);
  weight += heavy;
}

/** What the parser itself says of a statement. */
export type Raw = { readonly json: string } | Refused;
/** A text that is no statement; `codePoint` counts from 0. */
export interface Refused {
  readonly message: string;
  readonly codePoint: number;
}

/** Runs the parser on a text without NUL. Throws `ParserOverflow` when it is too deep for it. */
export const rawParse = (sql: string): Raw => withParser(sql, readParse);

/** `weight`: a guess at the size in bytes. */
interface Weighed {
  readonly parsed: Parsed;
  readonly weight: number;
}

function parseAnew(sql: string): Weighed {
  const refuse = (message: string, at: number): Weighed => ({ parsed: { ok: false, message, at }, weight: sql.length + message.length });
  const nul = sql.indexOf('\0');
  // libpg_query reads a C string: what follows a NUL would vanish silently (measured).
  if (nul >= 0) return refuse('a NUL character: Postgres text holds none', nul);
  let found: Found;
  try {
    found = takeAhead(sql) ?? findHere(sql);
  } catch (error) {
    if (error instanceof ParserOverflow) return refuse(tooDeep, 0);
    throw error;
  }
  if ('message' in found) return refuse(found.message, utf16OfCodePoint(sql, found.codePoint));
  if (found.size === 0) return refuse('statement too long to parse', 0);
  if (found.plpgsql !== undefined) expect(sql, found.plpgsql);
  const toUtf16 = utf16OfBytes(sql);
  let node: Node;
  if ('node' in found) node = found.node;
  else {
    const { stmts = [] } = found.tree as { readonly stmts?: { stmt?: Node; stmt_location?: number; stmt_len?: number }[] };
    const [first, second] = stmts;
    if (first?.stmt === undefined) return refuse('no statement', 0);
    if (second !== undefined) {
      const end = (first.stmt_location ?? 0) + (first.stmt_len ?? 0);
      return refuse('more than one statement', toUtf16 === undefined ? end : toUtf16(end));
    }
    node = first.stmt;
  }
  if (!settle(node, toUtf16, found.size)) return refuse(tooDeep, 0);
  return { parsed: { ok: true, node }, weight: sql.length + found.size };
}

function findHere(sql: string): Found {
  const raw = rawParse(sql);
  if ('message' in raw) return raw;
  return { tree: raw.json === '' ? undefined : JSON.parse(raw.json), size: raw.json.length };
}

function readParse(module: Parameters<Parameters<typeof withParser>[1]>[0], pointer: number): Raw {
  const result = module._wasm_parse_query_raw(pointer);
  if (result === 0) throw new RangeError('out of memory');
  const error = module.getValue(result + 8, 'i32');
  let raw: Raw;
  if (error !== 0) {
    const message = module.getValue(error, 'i32');
    const position = module.getValue(error + 16, 'i32');
    raw = { message: message === 0 ? 'syntax error' : module.UTF8ToString(message), codePoint: Math.max(0, position - 1) };
  } else {
    const json = module.getValue(result, 'i32');
    raw = { json: json === 0 ? '' : module.UTF8ToString(json) };
  }
  module._wasm_free_parse_result(result);
  return raw;
}

/** The keys of libpg_query's tree that hold byte offsets into the text (checked against @pgsql/types in the tests). */
export const offsetKeys: ReadonlySet<string> = new Set([
  'location', 'name_location', 'stmt_location', 'list_start', 'list_end', 'rexpr_list_start', 'rexpr_list_end',
]);

/** Turns byte offsets into UTF-16 ones, in place; false when the tree is deeper than `deepestTree`. */
function settle(root: unknown, toUtf16: ((byte: number) => number) | undefined, jsonLength: number): boolean {
  // A short JSON text cannot nest that deep; most statements are ASCII and short, and skip the pass.
  if (toUtf16 === undefined && jsonLength < deepestTree * 4) return true;
  let level: object[] = [root as object];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepestTree) return false;
    const next: object[] = [];
    for (const item of level) {
      if (Array.isArray(item)) {
        for (const child of item) if (typeof child === 'object' && child !== null) next.push(child);
        continue;
      }
      const record = item as Record<string, unknown>;
      for (const key in record) {
        const value = record[key];
        if (typeof value === 'object' && value !== null) next.push(value);
        else if (toUtf16 !== undefined && typeof value === 'number' && value > 0 && offsetKeys.has(key)) record[key] = toUtf16(value);
      }
    }
    level = next;
  }
  return true;
}

/** What the thread of `ahead.ts` has found in bodies, until somebody reads them: a few at a time. */
let expected = new Map<string, string>();
const mostExpected = 64;

function expect(sql: string, text: string): void {
  if (expected.size >= mostExpected) expected = new Map();
  expected.set(sql, text);
}

/** Runs the PL/pgSQL parser on a text without NUL: a tree as JSON, or a message. Throws `ParserOverflow` when it is too deep for it. */
export const rawPlpgsql = (createStatement: string): string => withParser(createStatement, (module, pointer) => {
  const result = module._wasm_parse_plpgsql(pointer);
  const json = module.UTF8ToString(result);
  module._wasm_free_string(result);
  return json;
});

/**
 * Parses the PL/pgSQL body of a CREATE FUNCTION, CREATE PROCEDURE or DO statement. Trees carry `query` texts and line numbers
 * inside the body, no columns; errors carry no position (measured). A LANGUAGE sql function gives an empty one, not an error.
 */
export function parsePlpgsql(createStatement: string): ParsedPlpgsql {
  if (createStatement.includes('\0')) return { ok: false, message: 'a NUL character: Postgres text holds none' };
  try {
    const text = expected.get(createStatement) ?? rawPlpgsql(createStatement);
    if (!text.startsWith('{')) return { ok: false, message: text };
    const tree = JSON.parse(text) as { plpgsql_funcs?: PlpgsqlNode[] };
    return { ok: true, functions: tree.plpgsql_funcs ?? [] };
  } catch (error) {
    if (error instanceof ParserOverflow) return { ok: false, message: tooDeep };
    // The JSON of deep or odd PL/pgSQL trees may be cut; that is the parser's limit, not ours.
    if (error instanceof SyntaxError) return { ok: false, message: 'PL/pgSQL parser gave no readable tree' };
    throw error;
  }
}
