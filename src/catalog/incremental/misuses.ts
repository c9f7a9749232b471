/** What other statements do to relations that an engine maintains, and the engines' own tables. */
import type { Maintenance, Misuse, Refusal, Table } from '../../model.ts';
import { identifierText, tokenize, type Token } from '../../sql/tokens.ts';
import type { ColumnRef, DropStmt, Node, SelectStmt } from '../../sql/tree.ts';
import { walk, walkWithPath } from '../../sql/walk.ts';
import { nameSpan, printName, refuse, type Change, type Outcome } from '../change.ts';
import { misuse } from './calls.ts';

/** How people call what an engine maintains. */
export const maintainedWord = ({ engine }: Maintenance): string =>
  (engine === 'pg_ivm' ? 'an IMMV' : engine === 'pg_trickle' ? 'a stream table' : 'a continuous aggregate');

/** What works in place of a statement for materialized views (facts §1.1, §2.1). */
function instead(statement: string, table: Table): string | undefined {
  const name = printName(table).replaceAll("'", "''");
  const isTrickle = table.maintenance?.engine === 'pg_trickle';
  if (/^drop/i.test(statement)) return isTrickle ? `SELECT pgtrickle.drop_stream_table('${name}')` : `DROP TABLE ${printName(table)}`;
  if (/^refresh/i.test(statement)) return isTrickle ? `SELECT pgtrickle.refresh_stream_table('${name}')`
    : `SELECT pgivm.refresh_immv('${name}', true)`;
  return /^alter/i.test(statement) ? 'ALTER TABLE' : undefined;
}

/** A refusal with the engine's part in it: IMMVs and stream tables are no materialized views to Postgres, nor are IMMVs written to. */
export function withMisuse(change: Change, refusal: Refusal): Refusal {
  const table = refusal.relation === undefined || refusal.misuse !== undefined ? undefined : change.store.get(refusal.relation);
  const { sql } = change.statement;
  if (table?.kind !== 'table' || table.maintenance === undefined || !/\bmaterialized\s+view\b/i.test(sql)) return refusal;
  if (refusal.sqlstate !== '42809' && refusal.sqlstate !== '0A000') return refusal;
  const works = instead(sql, table);
  const what: Misuse = {
    engine: table.maintenance.engine, code: 'kind', span: change.via.span, relation: table.id,
    says: `${printName(table)} is ${maintainedWord(table.maintenance)}, which is an ordinary table to Postgres`, ...(works === undefined
      ? {} : { instead: works }),
  };
  return { ...refusal, misuse: what };
}

/** INSERT, UPDATE, DELETE and TRUNCATE on an IMMV (measured, facts §1.6). Stream tables are not claimed: the facts do not say. */
export function refuseWrite(table: Table): Outcome {
  return table.maintenance?.engine === 'pg_ivm' ? refuse('42809', `cannot change materialized view "${table.name.name}"`, [], table.id)
    : undefined;
}

function immvsOf(change: Change): readonly Table[] {
  return [...change.store.relations()].filter((relation): relation is Table =>
    relation.kind === 'table' && relation.maintenance?.engine === 'pg_ivm' && change.store.isCertain(relation.id));
}

/**
 * DROP EXTENSION pg_ivm while IMMVs live: 2BP01 for their triggers, and with CASCADE the triggers go while the tables stay, so that from
 * then
 * on nothing keeps them up to date (measured by `immv.test.ts`).
 */
export function dropEngine(change: Change, node: DropStmt): Outcome {
  const names = (node.objects ?? []).map(item => ('String' in item ? item.String.sval ?? '' : ''));
  if (node.removeType !== 'OBJECT_EXTENSION' || !names.includes('pg_ivm')) return undefined;
  const immvs = immvsOf(change);
  const [first] = immvs;
  if (first === undefined) return undefined;
  const listed = immvs.slice(0, 5).map(printName).join(', ') + (immvs.length > 5 ? ` and ${immvs.length - 5} more` : '');
  const made = immvs.slice(0, 5).flatMap(table => (table.madeAt ? [{ span: table.madeAt,
    says: `${printName(table)} is maintained by pg_ivm` }] : []));
  const cascade = node.behavior === 'DROP_CASCADE';
  const what: Misuse = {
    engine: 'pg_ivm', code: 'extension', span: change.via.span, relation: first.id, instead: 'drop the IMMVs first',
    says: cascade ? `without pg_ivm nothing keeps ${listed} up to date any more, and no error says so` : `pg_ivm still maintains ${listed}`,
  };
  if (!cascade) return { ...refuse('2BP01', 'cannot drop extension pg_ivm because other objects depend on it', made), misuse: what };
  misuse(change, what);
  for (const { maintenance: _, ...table } of immvs) change.store.put(table);
  return undefined;
}

interface EngineTable {
  readonly engine: Misuse['engine'];
  /** Every column, where the facts list them all. */
  readonly columns?: readonly string[];
  /** Columns that people expect and that are not there, and what to ask instead. */
  readonly absent: Readonly<Record<string, string>>;
}

const systemColumns = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'];

/** Tables and functions of the engines that people read (facts §1.1, §2.1, §3). */
const engineTables: Readonly<Record<string, EngineTable>> = {
  'pgivm.pg_ivm_immv': {
    engine: 'pg_ivm', columns: ['immvrelid', 'viewdef', 'ispopulated', 'lastivmupdate'],
    absent: { immvname: 'immvrelid::regclass', viewname: 'immvrelid::regclass', matviewname: 'immvrelid::regclass' },
  },
  'pgtrickle.pgt_stream_tables': {
    engine: 'pg_trickle', absent: { rows_in_last_refresh: 'pgtrickle.pgt_refresh_history (rows_inserted, rows_updated, rows_deleted; joined on pgt_id)' },
  },
  'pgtrickle.validate_query': { engine: 'pg_trickle', columns: ['check_name', 'result', 'severity'], absent: { detail: 'severity' } },
};

const lastName = (parts: readonly Node[] | undefined): readonly string[] => (parts ?? []).map(part => ('String' in part ? part.String.sval
  ?? '' : '*'));

interface Source {
  readonly name: string;
  readonly alias: string;
  readonly table: EngineTable;
}

function sourceOf(item: Node): Source | undefined {
  if ('RangeVar' in item) {
    const { schemaname, relname = '', alias } = item.RangeVar;
    const table = Object.hasOwn(engineTables, `${schemaname}.${relname}`) ? engineTables[`${schemaname}.${relname}`] : undefined;
    return table && alias?.colnames === undefined ? { name: `${schemaname}.${relname}`, alias: alias?.aliasname ?? relname, table }
      : undefined;
  }
  if (!('RangeFunction' in item) || item.RangeFunction.alias?.colnames !== undefined
    || item.RangeFunction.coldeflist !== undefined) return undefined;
  const first = item.RangeFunction.functions?.[0];
  const call = first && 'List' in first ? first.List.items?.[0] : undefined;
  if (!call || !('FuncCall' in call)) return undefined;
  const parts = lastName(call.FuncCall.funcname);
  const table = parts.join('.') === 'pgtrickle.validate_query' ? engineTables['pgtrickle.validate_query'] : undefined;
  return table && { name: parts.join('.'), alias: item.RangeFunction.alias?.aliasname ?? 'validate_query', table };
}

/** The items of FROM, joins taken apart. */
function fromItems(list: readonly Node[] | undefined): readonly Node[] {
  return (list ?? []).flatMap(item => ('JoinExpr' in item
    ? fromItems([item.JoinExpr.larg, item.JoinExpr.rarg].filter(side => side !== undefined)) : [item]));
}

/** 42703 for a column that an engine's own table does not have (measured for pg_ivm; facts §3 for pg_trickle). */
export function missingEngineColumn(change: Change, tree: Node): Outcome {
  if (!/pgivm|pgtrickle/i.test(change.statement.sql)) return undefined;
  let found: Outcome;
  walk(tree, (kind, inner) => {
    if (kind === 'SelectStmt' && !found) found = inSelect(change, inner as SelectStmt);
  });
  return found;
}

function inSelect(change: Change, select: SelectStmt): Outcome {
  const items = fromItems(select.fromClause);
  const sources = items.flatMap(item => sourceOf(item) ?? []);
  if (sources.length === 0) return undefined;
  const outputs = new Set((select.targetList ?? []).flatMap(item => ('ResTarget' in item ? item.ResTarget.name ?? [] : [])));
  const ask = (ref: ColumnRef): Outcome => {
    const parts = lastName(ref.fields);
    const [first = '', second] = parts;
    const source = second === undefined ? (items.length === 1 ? sources[0] : undefined) : sources.find(({ alias }) => alias === first);
    const column = second ?? first;
    if (source === undefined || column === '*' || parts.length > 2 || (second === undefined && (outputs.has(column)
      || first === source.alias))) return undefined;
    const { absent, columns, engine } = source.table;
    const isAbsent = Object.hasOwn(absent, column) || (columns !== undefined && !columns.includes(column)
      && !systemColumns.includes(column));
    if (!isAbsent) return undefined;
    const span = nameSpan(change, ref.location);
    const says = `${source.name} has no column ${column}`;
    const instead = absent[column] ?? columns?.join(', ');
    return { ...refuse('42703', `column "${column}" does not exist`, [{ span, says }]),
      misuse: { engine, code: 'no-column', says, span, ...(instead === undefined ? {} : { instead }) } };
  };
  let found: Outcome;
  const own = { ...select, fromClause: [], withClause: undefined, larg: undefined, rarg: undefined };
  walkWithPath({ SelectStmt: own } as unknown as Node, (kind, inner, path) => {
    if (kind === 'SelectStmt' && path.length > 1) return false;
    if (kind === 'ColumnRef') found ??= ask(inner as ColumnRef);
    return undefined;
  });
  return found;
}

const isName = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** The engine functions that a text calls to refresh by hand what is refreshed by itself: `pgtrickle.refresh_stream_table`. */
export function refreshesByHand(text: string): readonly { readonly name: string; readonly engine: Misuse['engine']; readonly start: number; readonly end: number }[] {
  if (!/refresh_(?:stream_table|immv)/i.test(text)) return [];
  const tokens = tokenize(text).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  return tokens.flatMap((token, at) => {
    const name = isName(token) ? identifierText(text, token) : '';
    if (name !== 'refresh_stream_table' && name !== 'refresh_immv') return [];
    const qualifier = tokens[at - 2];
    const start = isName(qualifier) && qualifier !== undefined ? qualifier.start : token.start;
    return [{ name, engine: name === 'refresh_immv' ? 'pg_ivm' as const : 'pg_trickle' as const, start, end: token.end }];
  });
}
