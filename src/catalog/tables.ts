import type { Column, Constraint, Known, ObjectId, Sequence, Table } from '../model.ts';
import { walk } from '../sql/walk.ts';
import type { ColumnDef, Constraint as ConstraintNode, CreateStmt, Node, TableLikeClause, TypeName } from '../sql/tree.ts';
import { serialType, typeText, typeWritten } from '../sql/type-name.ts';
import {
  defaultGrants, find, freeName, isSelectable, isUnknown, nameForCreate, nameSpan, objectName, refuse, refuseMissing, writtenName, type Change, type Outcome,
} from './change.ts';
import { makeIndex } from './indexes.ts';
import { hypertableOption } from './incremental/hypertables.ts';
import { inherited } from './inherited.ts';
import { likeColumns, likeParts } from './like.ts';
import { noOptions, optionsOf } from './options.ts';
import { dependOnColumnTypes, dependOnTypes } from './type-users.ts';
import { existsAlready } from './views.ts';

/** A table while its statement is read: columns and constraints grow together. */
export interface Draft {
  readonly columns: Column[];
  readonly constraints: ConstraintNode[];
  readonly serials: { readonly column: string; readonly type: string }[];
  unknown?: string;
}

export function namesOf(list: readonly Node[] | undefined): string[] {
  return (list ?? []).map(item => ('String' in item ? item.String.sval ?? '' : ''));
}

/** A type's text; a type that the history made has its schema in front unless that is public. */
export function typeOf(change: Change, type: TypeName | undefined): Known<string> {
  if (!type) return { unknown: 'a type' };
  const found = change.store.findType(typeWritten(type));
  if (found.is !== 'present') return typeText(type);
  const { schema, name } = found.object.name;
  return `${schema === 'public' ? name : `${schema}.${name}`}${type.arrayBounds?.length ? '[]' : ''}`;
}

/** One column definition, with its inline constraints lifted to the table's. */
export function readColumn(change: Change, definition: ColumnDef, draft: Draft): void {
  const name = definition.colname ?? '';
  const serial = serialType(definition.typeName);
  const type = serial ?? typeOf(change, definition.typeName);
  let notNull = serial !== undefined || definition.is_not_null === true;
  let generated: Column['generated'];
  for (const item of definition.constraints ?? []) {
    if (!('Constraint' in item)) continue;
    const constraint = item.Constraint;
    if (constraint.contype === 'CONSTR_NOTNULL' || constraint.contype === 'CONSTR_IDENTITY' || constraint.contype === 'CONSTR_PRIMARY') notNull = true;
    if (constraint.contype === 'CONSTR_GENERATED') generated = constraint.generated_kind === 'v' ? 'virtual' : 'stored';
    if (constraint.contype === 'CONSTR_IDENTITY') draft.serials.push({ column: name, type: typeof type === 'string' ? type : 'bigint' });
    if (constraint.contype === 'CONSTR_PRIMARY' || constraint.contype === 'CONSTR_UNIQUE')
      draft.constraints.push({ keys: [{ String: { sval: name } }], ...constraint });
    // DEFERRABLE of a column's constraint is an item of its own behind it.
    if (constraint.contype === 'CONSTR_ATTR_DEFERRABLE') {
      const last = draft.constraints.pop();
      if (last) draft.constraints.push({ ...last, deferrable: true });
    }
    if (constraint.contype === 'CONSTR_FOREIGN') draft.constraints.push({ fk_attrs: [{ String: { sval: name } }], ...constraint });
    if (constraint.contype === 'CONSTR_CHECK') draft.constraints.push({ keys: [{ String: { sval: name } }], ...constraint });
  }
  if (serial !== undefined) draft.serials.push({ column: name, type: serial });
  const collation = definition.collClause?.collname?.at(-1);
  draft.columns.push({
    name, type, notNull, ...(generated === undefined ? {} : { generated }), ...(collation !== undefined && 'String' in collation ? { collation: collation.String.sval ?? '' } : {}),
    span: nameSpan(change, definition.location),
  });
}

/** CREATE TABLE: columns, keys, LIKE, INHERITS, PARTITION OF. Expressions of defaults and checks are not read; they hold no view back. */
export function createTable(change: Change, node: CreateStmt): Outcome {
  const { name, existing } = nameForCreate(change, node.relation);
  if (!name) return undefined;
  if (existing) return existsAlready(change, node.if_not_exists === true, 'table', existing.id, name);
  const draft: Draft = { columns: [], constraints: [], serials: [] };
  const inherits: ObjectId[] = [];
  const likes: TableLikeClause[] = [];
  for (const parent of node.inhRelations ?? []) {
    if (!('RangeVar' in parent)) continue;
    const { relation, absent } = find(change, writtenName(parent.RangeVar));
    if (absent) return refuseMissing(writtenName(parent.RangeVar), absent);
    if (!isSelectable(relation) || isUnknown(relation.columns)) draft.unknown = `the columns of ${parent.RangeVar.relname ?? ''}`;
    else draft.columns.push(...relation.columns.filter(column => !draft.columns.some(old => old.name === column.name)).map(inherited));
    if (relation) inherits.push(relation.id);
  }
  for (const element of node.tableElts ?? []) {
    if ('ColumnDef' in element) readColumn(change, element.ColumnDef, draft);
    else if ('Constraint' in element) draft.constraints.push(element.Constraint);
    else if ('TableLikeClause' in element) {
      const refused = likeColumns(change, element.TableLikeClause, draft);
      likes.push(element.TableLikeClause);
      if (refused) return refused;
    }
  }
  if (node.ofTypename) draft.unknown = `the columns of type ${typeText(node.ofTypename)}`;
  const id = change.store.newId();
  const table: Table = {
    kind: 'table', id, name, madeAt: change.statement.span, owner: change.store.session.role,
    columns: draft.unknown === undefined ? draft.columns : { unknown: draft.unknown }, options: optionsOf(node.options),
    ...(node.tablespacename === undefined ? {} : { tablespace: node.tablespacename }), grants: defaultGrants(change, 'tables', name.schema),
    persistence: node.relation?.relpersistence === 't' ? 'temporary' : node.relation?.relpersistence === 'u' ? 'unlogged' : 'permanent',
    constraints: [], inherits, partitioned: node.partspec !== undefined, rowSecurity: false,
  };
  change.store.put(hypertableOption(table));
  dependOnColumnTypes(change.store, id, draft.columns, columnsNamed(node.partspec));
  if (node.ofTypename) dependOnTypes(change, id, [node.ofTypename]);
  for (const on of inherits) change.store.depend({ dependent: id, on, strength: node.partbound ? 'auto' : 'normal' });
  for (const serial of draft.serials) makeSequence(change, table, serial.column);
  for (const constraint of draft.constraints) {
    const refused = addConstraint(change, id, constraint);
    if (refused) return refused;
  }
  for (const like of likes) likeParts(change, like, table);
  const made = change.store.get(id);
  if (made?.kind === 'table') change.effects.push({ kind: 'createTable', table: made, via: change.via });
  return undefined;
}

/** The sequence behind a serial or identity column; it goes along with the column. */
export function makeSequence(change: Change, table: Table, column: string): void {
  const { schema } = table.name;
  const sequence: Sequence = {
    kind: 'sequence', id: change.store.newId(), name: { schema, name: freeName(change.store, schema, objectName(table.name.name, column, 'seq')) },
    madeAt: change.statement.span, owner: table.owner, options: noOptions, ownedBy: { table: table.id, column }, grants: defaultGrants(change, 'sequences', schema),
  };
  change.store.put(sequence);
  change.store.depend({ dependent: sequence.id, on: table.id, columns: [column], strength: 'auto' });
}

const kinds: Readonly<Record<string, Constraint['kind']>> = {
  CONSTR_PRIMARY: 'primary key', CONSTR_UNIQUE: 'unique', CONSTR_FOREIGN: 'foreign key', CONSTR_CHECK: 'check', CONSTR_EXCLUSION: 'exclude',
};
const suffixes: Readonly<Record<Constraint['kind'], string>> = { 'primary key': 'pkey', unique: 'key', 'foreign key': 'fkey', check: 'check', exclude: 'excl' };

/** Adds a constraint with its index and name as Postgres chooses them (ChooseIndexName, ChooseConstraintName in the server's source; compared by the agreement command). */
export function addConstraint(change: Change, tableId: ObjectId, node: ConstraintNode): Outcome {
  const table = change.store.get(tableId);
  const kind = kinds[node.contype ?? ''];
  if (table?.kind !== 'table' || !kind) return undefined;
  if (node.contype === 'CONSTR_PRIMARY' && table.constraints.some(constraint => constraint.kind === 'primary key'))
    return refuse('42P16', `multiple primary keys for table "${table.name.name}" are not allowed`, [], table.id);
  const columns = kind === 'foreign key' ? namesOf(node.fk_attrs) : namesOf(node.keys);
  const taken = new Set(table.constraints.map(constraint => constraint.name));
  const middle = kind === 'primary key' ? undefined : columns.length > 0 ? columns.join('_') : undefined;
  const indexed = kind === 'primary key' || kind === 'unique' || kind === 'exclude';
  const using = node.indexname !== undefined ? change.store.find({ schema: table.name.schema, name: node.indexname }) : undefined;
  const base = node.conname ?? node.indexname ?? objectName(table.name.name, middle, suffixes[kind]);
  // The index is made first: its name is asked for before the constraint's (measured by the agreement).
  if (node.conname !== undefined && taken.has(node.conname) && !indexed)
    return refuse('42710', `constraint "${node.conname}" for relation "${table.name.name}" already exists`, [], table.id);
  const name = node.conname ?? (indexed && !using ? freeName(change.store, table.name.schema, base, taken) : firstFree(base, taken));
  let index: ObjectId | undefined;
  if (using?.is === 'present' && using.object.kind === 'index') {
    index = using.object.id;
    change.store.put({ ...using.object, name: { ...using.object.name, name }, constraint: name });
  } else if (indexed) {
    const taken = change.store.find({ schema: table.name.schema, name });
    if (taken.is === 'present') return refuse('42P07', `relation "${name}" already exists`, [], taken.object.id);
    index = makeIndex(change, table, name, {
      unique: kind !== 'exclude', method: kind === 'exclude' ? node.access_method ?? 'gist' : 'btree', constraint: name, include: namesOf(node.including),
      columns: columns.map(column => ({ column, descending: false, nullsFirst: false })), nullsNotDistinct: node.nulls_not_distinct === true,
    });
  }
  const references = kind === 'foreign key' && node.pktable ? find(change, writtenName(node.pktable)) : undefined;
  if (references?.absent) return refuseMissing(writtenName(node.pktable), references.absent);
  if (references?.relation && references.relation.kind !== 'table')
    return refuse('42809', `referenced relation "${references.relation.name.name}" is not a table`, [], references.relation.id);
  const constraint: Constraint = {
    name, kind, columns, ...(node.deferrable === true ? { deferrable: true as const } : {}), ...(index === undefined ? {} : { index }), ...(references?.relation ? { references: references.relation.id } : {}),
    ...(kind === 'check' && node.raw_expr ? { mentions: columnsNamed(node.raw_expr) } : {}),
  };
  const keyed = kind === 'primary key' && !isUnknown(table.columns)
    ? table.columns.map(column => (columns.includes(column.name) ? { ...column, notNull: true } : column)) : table.columns;
  change.store.put({ ...table, columns: keyed, constraints: [...table.constraints, constraint] });
  return undefined;
}

/** The columns that an expression over one table, or the key of a partitioned one, names. */
function columnsNamed(expression: unknown): readonly string[] {
  const names = new Set<string>();
  walk(expression, (kind, inner) => {
    if (kind === 'PartitionElem' && typeof inner['name'] === 'string') names.add(inner['name']);
    if (kind !== 'ColumnRef') return;
    const last = (inner as { fields?: readonly Node[] }).fields?.at(-1);
    if (last !== undefined && 'String' in last) names.add(last.String.sval ?? '');
  });
  return [...names];
}

function firstFree(base: string, taken: ReadonlySet<string>): string {
  for (let n = 0; ; n++) if (!taken.has(n === 0 ? base : `${base}${n}`)) return n === 0 ? base : `${base}${n}`;
}

