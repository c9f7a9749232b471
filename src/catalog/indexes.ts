import type { Index, IndexColumn, ObjectId, Selectable } from '../model.ts';
import { lowerQuery } from '../query/lower.ts';
import { lastName } from '../query/names.ts';
import { quoteIdent } from '../sql/print.ts';
import { expressionEnd } from '../sql/span.ts';
import { identifierText, normalText, tokensOf } from '../sql/tokens.ts';
import type { ColumnRef, FuncCall, IndexElem, IndexStmt, Node, RangeVar } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { find, freeName, hasColumn, isUnknown, objectName, refuse, refuseMissing, writtenName, type Change, type Outcome } from './change.ts';
import { noOptions, optionsOf } from './options.ts';
import { isHole } from './names.ts';
import type { Store } from './store.ts';
import { typeNamed } from './type-users.ts';
import { existsAlready } from './views.ts';

type Wanted = Pick<Index, 'unique' | 'method' | 'columns' | 'include' | 'nullsNotDistinct'>
  & Partial<Pick<Index, 'predicate' | 'constraint' | 'options' | 'tablespace' | 'valid'>>;

/**
 * Puts an index into the catalog; it goes along with its relation. `uses`: the columns that its expressions and its condition name; absent
 * when it has none of those, or nobody knows. Returns its id.
 */
export function makeIndex(change: Change, on: Selectable, name: string, wanted: Wanted, uses?: readonly string[]): ObjectId {
  const index: Index = {
    kind: 'index', id: change.store.newId(), name: { schema: on.name.schema, name }, madeAt: change.statement.span, owner: on.owner,
    on: on.id, valid: true, options: noOptions, ...wanted,
  };
  change.store.put(index);
  const columns = new Set<string>();
  let isPlain = wanted.predicate === undefined;
  for (const { column } of wanted.columns)
    if (column === undefined) isPlain = false;
    else columns.add(column);
  for (const column of wanted.include) columns.add(column);
  for (const column of uses ?? []) columns.add(column);
  const link = { dependent: index.id, on: on.id, strength: 'auto' } as const;
  change.store.depend(isPlain || uses ? { columns: [...columns], ...link } : link);
  return index.id;
}

/** What expressions over one relation hold on to, its columns aside: an index goes with a column that only its condition names (measured, dependencies.test.ts). */
function holdOf(change: Change, relation: Selectable, range: RangeVar | undefined, parts: readonly Node[]): { readonly columns?: readonly string[]; readonly others: readonly ObjectId[] } {
  if (parts.length === 0) return { others: [] };
  const named = plainlyNamed(change.store, relation, parts);
  if (named !== undefined) return { columns: named, others: [] };
  const select = { SelectStmt: { targetList: parts.map(val => ({ ResTarget: { val } })), fromClause: [{ RangeVar: range ?? {} }] } } as Node;
  const { query, routines, held } = lowerQuery(change.statement, select, change.store);
  const reads = query.reads.filter(({ id }) => id === relation.id);
  return {
    ...(reads.every(({ columns }) => columns !== undefined) ? { columns: reads.flatMap(({ columns }) => columns ?? []) } : {}),
    others: [...routines, ...held],
  };
}

/** The columns that expressions name, where nothing in them can be of the history's making: most hold nothing but columns. Undefined elsewhere. */
function plainlyNamed(store: Store, relation: Selectable, parts: readonly Node[]): readonly string[] | undefined {
  if (isUnknown(relation.columns)) return undefined;
  const { columns } = relation;
  const named = new Set<string>();
  let isPlain = true;
  for (const part of parts) walk(part, (kind, inner) => {
    if (kind === 'FuncCall') {
      const { funcname = [] } = inner as FuncCall;
      isPlain &&= funcname.length === 1 && store.findRoutines({ name: lastName(funcname) ?? '' }).length === 0;
    }
    else if (kind === 'ColumnRef') {
      const name = lastName((inner as ColumnRef).fields);
      const column = columns.find(one => one.name === name);
      isPlain &&= column !== undefined && !isUnknown(column.type) && typeNamed(store, column.type) === undefined;
      named.add(column?.name ?? '');
    } else isPlain &&= kind !== 'TypeName' && kind !== 'SubLink' && kind !== 'A_Indirection';
    return isPlain;
  });
  return isPlain ? [...named] : undefined;
}

/** The index after a column of its relation got another name, in its expressions and its condition too. */
export function renameKey(index: Index, from: string, to: string): Index {
  const { predicate, include, columns } = index;
  return {
    ...index, include: include.map(column => (column === from ? to : column)), ...(predicate === undefined ? {} : { predicate: renamedText(predicate, from, to) }),
    columns: columns.map(key => ({
      ...key, ...(key.column === from ? { column: to } : {}), ...(key.expression === undefined ? {} : { expression: renamedText(key.expression, from, to) }),
    })),
  };
}

/** Renames a column in the text of an expression: a name that no parenthesis follows, as a call's would be, and no point, as a table's would be. */
function renamedText(text: string, from: string, to: string): string {
  const tokens = [...tokensOf(text)];
  const isName = (at: number): boolean => {
    const token = tokens[at]!;
    const next = tokens[at + 1];
    return (token.kind === 'word' || token.kind === 'quotedIdentifier') && identifierText(text, token) === from
      && !(next !== undefined && /^[(.]$/.test(text.slice(next.start, next.end)));
  };
  return tokens.map((token, at) => (isName(at) ? quoteIdent(to) : text.slice(token.start, token.end))).join(' ');
}

/** The part of an expression's text that Postgres names an index column after (ChooseIndexExpressionNames): a function's name, else `expr`. */
function expressionName(node: Node): string {
  if ('FuncCall' in node) {
    const last = node.FuncCall.funcname?.at(-1);
    return last && 'String' in last ? last.String.sval ?? 'expr' : 'expr';
  }
  if ('CoalesceExpr' in node) return 'coalesce';
  if ('TypeCast' in node && node.TypeCast.arg) return expressionName(node.TypeCast.arg);
  return 'expr';
}

/** The name of an index that is given none. */
function chosenName(store: Store, { name: { schema, name } }: Selectable, elements: readonly IndexElem[], include: readonly string[]): string {
  const parts = elements.map(element => element.name ?? bareColumn(element.expr) ?? expressionName(element.expr ?? { ColumnRef: {} }));
  return freeName(store, schema, objectName(name, [...parts, ...include].join('_'), 'idx'));
}

/** A parenthesised bare column is a column (measured, facts B). */
function bareColumn(node: Node | undefined): string | undefined {
  const field = node && 'ColumnRef' in node && node.ColumnRef.fields?.length === 1 ? node.ColumnRef.fields[0] : undefined;
  return field && 'String' in field ? field.String.sval : undefined;
}

function readElement(change: Change, element: IndexElem, start: number): IndexColumn {
  const column = element.name ?? bareColumn(element.expr);
  const last = element.opclass?.at(-1);
  const collation = element.collation?.at(-1);
  return {
    descending: element.ordering === 'SORTBY_DESC',
    nullsFirst: element.nulls_ordering === 'SORTBY_NULLS_FIRST' || (element.ordering === 'SORTBY_DESC' && element.nulls_ordering !== 'SORTBY_NULLS_LAST'),
    ...(column === undefined ? { expression: normalText(change.statement.sql, start, expressionEnd(change.statement.sql, start)) } : { column }),
    ...(last && 'String' in last && last.String.sval !== undefined ? { opclass: last.String.sval } : {}),
    ...(collation && 'String' in collation && collation.String.sval !== undefined ? { collation: collation.String.sval } : {}),
  };
}

/** A predicate that Postgres folds away: `WHERE true` (measured, facts B). */
function constantTrue(node: Node | undefined): boolean {
  return node !== undefined && 'A_Const' in node && node.A_Const.boolval?.boolval === true;
}

/** The start of a sub-expression: the least location in it. Locations of operators stand in the middle, so all of them are asked. */
export function startOf(node: object | undefined): number | undefined {
  let least: number | undefined;
  const visit = (value: object): void => {
    for (const key in value) {
      const inner = (value as Readonly<Record<string, unknown>>)[key];
      if (typeof inner === 'object' && inner !== null) visit(inner);
      else if (key === 'location' && typeof inner === 'number' && inner >= 0) least = Math.min(least ?? inner, inner);
    }
  };
  if (node !== undefined) visit(node);
  return least;
}

/** CREATE [UNIQUE] INDEX [CONCURRENTLY]. */
export function createIndex(change: Change, node: IndexStmt): Outcome {
  const written = writtenName(node.relation);
  const concurrently = node.concurrent === true;
  if (concurrently && change.inTransactionBlock) return refuse('25001', 'CREATE INDEX CONCURRENTLY cannot run inside a transaction block');
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!relation) return undefined;
  if (relation.kind !== 'table' && relation.kind !== 'matview')
    return refuse('42809', `cannot create index on relation "${relation.name.name}"`, [], relation.id);
  const elements = (node.indexParams ?? []).map(item => ('IndexElem' in item ? item.IndexElem : {}));
  const columns = elements.map(element => readElement(change, element, startOf(element.expr) ?? 0));
  const include = (node.indexIncludingParams ?? []).map(item => ('IndexElem' in item ? item.IndexElem.name ?? '' : ''));
  for (const column of [...columns.map(item => item.column), ...include])
    if (column !== undefined && !systemColumns.has(column) && hasColumn(relation, column) === false) return refuse('42703', `column "${column}" does not exist`, [], relation.id);
  if (node.idxname !== undefined && isHole(node.idxname)) return undefined;
  const name = node.idxname ?? chosenName(change.store, relation, elements, include);
  const existing = change.store.find({ schema: relation.name.schema, name });
  if (existing.is === 'present')
    return existsAlready(change, node.if_not_exists === true, 'index', existing.object.id, { schema: relation.name.schema, name }, undefined, relation);
  const where = node.whereClause && !constantTrue(node.whereClause) ? predicateText(change, node.whereClause) : undefined;
  const held = holdOf(change, relation, node.relation, [...elements.flatMap(({ expr }) => expr ?? []), ...(where === undefined ? [] : [node.whereClause!])]);
  const id = makeIndex(change, relation, name, {
    unique: node.unique === true, method: node.accessMethod ?? 'btree', columns, include, nullsNotDistinct: node.nulls_not_distinct === true,
    ...(where === undefined ? {} : { predicate: where }), options: optionsOf(node.options), ...(node.tableSpace === undefined ? {} : { tablespace: node.tableSpace }),
  }, held.columns);
  for (const on of held.others) change.store.depend({ dependent: id, on, strength: 'normal' });
  const index = change.store.get(id);
  if (index?.kind === 'index') change.effects.push({ kind: 'createIndex', index, on: relation, concurrently, via: change.via });
  return undefined;
}

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

function predicateText(change: Change, node: Node): string {
  const { sql } = change.statement;
  const start = startOf(node) ?? sql.length;
  return normalText(sql, start, sql.length);
}
