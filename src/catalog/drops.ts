import type { CatalogObject, Dependency, Evidence, Index, ObjectId, Refusal, Table, WrittenName } from '../model.ts';
import type { DropStmt, Node } from '../sql/tree.ts';
import { columnsOf, find, gap, isUnknown, kindWord, printName, refuse, refuseMissing, writtenFromList, type Change, type Outcome } from './change.ts';
import { isHole, isRelation, isSystemSchema } from './names.ts';
import { namesOf } from './tables.ts';
import { typeWritten } from '../sql/type-name.ts';

/** What a DROP of some objects would do: everything that goes, and of that what needs CASCADE. */
interface Toll {
  readonly goes: ReadonlyMap<ObjectId, CatalogObject>;
  /** The columns of tables, and the attributes of composite types, that go alone: their type goes. */
  readonly columns: ReadonlyMap<ObjectId, ReadonlySet<string>>;
  /** Held by a normal dependency: 2BP01 without CASCADE. `by`: only that column of the object holds on. */
  readonly blocked: readonly { readonly object: CatalogObject; readonly on: ObjectId; readonly by?: string }[];
}

/** What a walk of dependencies has yet to follow: a whole object, or a column of one. */
interface Step {
  readonly id: ObjectId;
  readonly column?: string;
}

/** Whether a dependency surely uses the column; one whose columns are not known is not claimed. */
export const uses = (column: string) => (link: Dependency): boolean => link.columns?.includes(column) === true;

/** What a DROP of these objects takes. */
export function tollOf(change: Change, named: readonly CatalogObject[]): Toll {
  return follow(change, named, named.map(object => ({ id: object.id })));
}

/** What DROP COLUMN takes, the column itself among it. */
export function tollOfColumn(change: Change, table: ObjectId, column: string): Toll {
  return follow(change, [], [{ id: table, column }]);
}

/** Auto dependants ahead of normal ones, each in the order they were made. */
function autoFirst(a: Dependency, b: Dependency): number {
  return a.strength === b.strength ? a.dependent - b.dependent : a.strength === 'auto' ? -1 : 1;
}

/** Follows pg_depend as findDependentObjects does: auto dependants go silently, normal ones need CASCADE. */
function follow(change: Change, named: readonly CatalogObject[], queue: Step[]): Toll {
  const goes = new Map(named.map(object => [object.id, object]));
  const blocked: { object: CatalogObject; on: ObjectId; by?: string }[] = [];
  const columns = new Map<ObjectId, Set<string>>(queue.flatMap(({ id, column }) => (column === undefined ? [] : [[id, new Set([column])]])));
  const take = (object: CatalogObject): void => {
    goes.set(object.id, object);
    queue.push({ id: object.id });
  };
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { id, column } = next;
    for (const object of column === undefined ? contents(change, id) : indexesWith(change, id, column)) {
      if (goes.has(object.id)) continue;
      take(object);
      if (column === undefined) blocked.push({ object, on: id });
    }
    for (const link of change.store.dependants(id).toSorted(autoFirst)) {
      if (column !== undefined && !uses(column)(link)) continue;
      const object = change.store.get(link.dependent);
      if (!object || goes.has(object.id)) continue;
      if (link.by === undefined) {
        take(object);
        if (link.strength === 'normal') blocked.push({ object, on: id });
      } else if (columns.get(object.id)?.has(link.by) !== true) {
        columns.set(object.id, new Set([...columns.get(object.id) ?? [], link.by]));
        blocked.push({ object, on: id, by: link.by });
        queue.push({ id: object.id, column: link.by });
      }
    }
  }
  for (const id of goes.keys()) columns.delete(id);
  return { goes, columns, blocked: blocked.filter(({ object, by }) => by === undefined || !goes.has(object.id)) };
}

/** The indexes of a table that have the column, its keys among them; those go along with it. */
function indexesWith(change: Change, table: ObjectId, column: string): readonly Index[] {
  return change.store.indexesOf(table).filter(index => index.include.includes(column) || index.columns.some(item => item.column === column));
}

/** Takes columns out of tables that stay: with their constraints, and with what they were of. Indexes and dependants are gone already. */
export function removeColumns(change: Change, columns: Toll['columns']): void {
  for (const [id, names] of columns) {
    const object = change.store.get(id);
    for (const name of names) change.store.clearDependencies(id, name);
    if (object?.kind === 'type') doubtReaders(change, object.id);
    if (object?.kind !== 'table' || isUnknown(object.columns)) continue;
    change.store.put({
      ...object, columns: object.columns.filter(column => !names.has(column.name)),
      constraints: object.constraints.filter(({ columns: key, mentions = [] }) => ![...key, ...mentions].some(name => names.has(name))),
    });
  }
}

/** A composite type loses an attribute: which views read just that one is not recorded, and they go with it (measured, dependencies.test.ts). */
function doubtReaders(change: Change, type: ObjectId): void {
  const readers = change.store.dependants(type).flatMap(link => readersOf(change, link));
  for (const object of tollOf(change, readers).goes.values()) if (isRelation(object)) change.store.cloud(object.name);
}

/** The views that use a type, or a column of it. */
function readersOf(change: Change, link: Dependency): readonly CatalogObject[] {
  const links = link.by === undefined ? [link] : change.store.dependants(link.dependent).filter(uses(link.by));
  return links.flatMap(({ dependent }) => change.store.get(dependent) ?? []).filter(object => object.kind === 'view' || object.kind === 'matview');
}

/** What stands in a schema; nothing for any other object. Indexes go with their relation. */
function contents(change: Change, id: ObjectId): CatalogObject[] {
  const schema = change.store.get(id);
  return schema?.kind === 'schema' ? inSchema(change, schema.name) : [];
}

function inSchema(change: Change, schema: string): CatalogObject[] {
  return [...change.store.objects()]
    .filter(object => (isRelation(object) || object.kind === 'type' || object.kind === 'routine') && object.kind !== 'index' && object.name.schema === schema)
    .sort((a, b) => a.id - b.id);
}

/** 2BP01 with every dependant named, as Postgres's DETAIL does. */
export function refuseDependants(change: Change, what: string, toll: Pick<Toll, 'blocked'>, relation?: ObjectId): Refusal {
  const evidence: Evidence[] = toll.blocked.flatMap(({ object, on, by }) => {
    const target = change.store.get(on);
    const part = by === undefined ? '' : `column ${by} of `;
    return object.madeAt ? [{ span: object.madeAt, says: `${part}${kindWord(object)} ${printName(object)} depends on ${target ? `${kindWord(target)} ${printName(target)}` : what}` }] : [];
  });
  return refuse('2BP01', `cannot drop ${what} because other objects depend on it`, evidence, relation);
}

/** Takes the objects out of the catalog, and out of what is left of others (a foreign key of a surviving table). */
export function removeAll(change: Change, goes: ReadonlyMap<ObjectId, CatalogObject>): void {
  const keys = foreignKeysOn(change, goes);
  for (const object of goes.values()) {
    change.store.remove(object, { span: change.statement.span, says: `${kindWord(object)} ${printName(object)} is dropped here` });
    if (object.kind === 'index') forgetConstraint(change, object.on, constraint => constraint.index === object.id);
  }
  for (const object of keys)
    forgetConstraint(change, object.id, constraint => constraint.references !== undefined && goes.has(constraint.references));
}

function forgetConstraint(change: Change, id: ObjectId, gone: (constraint: Table['constraints'][number]) => boolean): void {
  const table = change.store.get(id);
  if (table?.kind === 'table' && table.constraints.some(gone)) change.store.put({ ...table, constraints: table.constraints.filter(constraint => !gone(constraint)) });
}

/** What CASCADE takes that somebody made on purpose: own indexes, sequences and triggers of a dropped relation, or column, are not worth a name. */
export function notable({ goes, columns }: Pick<Toll, 'goes' | 'columns'>, named: ReadonlySet<ObjectId>): CatalogObject[] {
  return [...goes.values()].filter(object => !named.has(object.id)
    && !((object.kind === 'index' || object.kind === 'trigger' || object.kind === 'policy') && goes.has(object.on))
    && !(object.kind === 'index' && columns.has(object.on))
    && !(object.kind === 'sequence' && object.ownedBy && (goes.has(object.ownedBy.table) || columns.has(object.ownedBy.table))));
}

/** The columns of tables that are surely there and surely go. */
function columnsTaken(change: Change, columns: Toll['columns']): { readonly table: Table; readonly column: string }[] {
  return [...columns].flatMap(([id, names]) => {
    const table = change.store.get(id);
    if (table?.kind !== 'table' || !change.store.isCertain(id)) return [];
    return columnsOf(table).filter(column => names.has(column.name)).map(column => ({ table, column: column.name }));
  });
}

/** Foreign keys that other tables hold on a dropped table: a normal dependency of a constraint, which this catalog keeps inside its table. */
function foreignKeysOn(change: Change, goes: ReadonlyMap<ObjectId, CatalogObject>): Table[] {
  const holders = [...goes.values()].flatMap(object => (object.kind === 'table' ? change.store.referencing(object.id) : []));
  return [...new Map(holders.filter(table => !goes.has(table.id)).map(table => [table.id, table])).values()];
}

/** `strange`: a name of which the history does not know what has it. `inside`: what stands in a schema that it does not show. */
type Located = { readonly object?: CatalogObject; readonly refusal?: Refusal; readonly strange?: WrittenName; readonly inside?: readonly CatalogObject[] };

const wanted: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'table', OBJECT_VIEW: 'view', OBJECT_MATVIEW: 'matview', OBJECT_INDEX: 'index', OBJECT_SEQUENCE: 'sequence', OBJECT_TYPE: 'type', OBJECT_DOMAIN: 'type',
  OBJECT_FUNCTION: 'routine', OBJECT_PROCEDURE: 'routine', OBJECT_ROUTINE: 'routine', OBJECT_AGGREGATE: 'routine', OBJECT_SCHEMA: 'schema', OBJECT_EXTENSION: 'extension',
  OBJECT_TRIGGER: 'trigger', OBJECT_POLICY: 'policy',
};

function locate(change: Change, node: DropStmt, item: Node): Located {
  const kind = wanted[node.removeType ?? ''];
  const missingOk = node.missing_ok === true;
  const absentAs = (sqlstate: string, because: string, evidence: Evidence | true): Located =>
    missingOk ? {} : { refusal: refuse(sqlstate, because, [evidence]) };
  if (kind === 'schema' || kind === 'extension') {
    const name = 'String' in item ? item.String.sval ?? '' : '';
    const found = change.store.findGlobal(kind, name);
    if (found.is === 'present') return { object: found.object };
    if (found.is === 'unknown' && !missingOk) change.store.world = 'open';
    if (found.is === 'unknown' && kind === 'schema') return { inside: inSchema(change, name).filter(object => change.store.isCertain(object.id)) };
    return found.is === 'absent' ? absentAs(kind === 'schema' ? '3F000' : '42704', `${kind} "${name}" does not exist`, found.because ?? true) : {};
  }
  if (kind === 'trigger' || kind === 'policy') {
    const parts = 'List' in item ? item.List.items ?? [] : [];
    const { relation } = find(change, writtenFromList(parts.slice(0, -1)));
    const name = namesOf(parts).at(-1);
    const object = relation && change.store.dependants(relation.id).map(link => change.store.get(link.dependent))
      .find(other => other?.kind === kind && other.on === relation.id && other.name === name);
    return object ? { object } : {};
  }
  if (kind === 'routine' && 'ObjectWithArgs' in item) {
    const name = writtenFromList(item.ObjectWithArgs.objname);
    const routines = change.store.findRoutines(name);
    if (routines.length === 1) return { object: routines[0]! };
    const count = item.ObjectWithArgs.args_unspecified === true ? undefined : item.ObjectWithArgs.objargs?.length ?? 0;
    const fitting = routines.filter(routine => count !== undefined && !isUnknown(routine.arguments) && routine.arguments.length === count);
    return fitting.length === 1 ? { object: fitting[0]! } : {};
  }
  if (kind === 'type') {
    const found = change.store.findType('TypeName' in item ? typeWritten(item.TypeName) : writtenFromList('List' in item ? item.List.items : []));
    return found.is === 'present' ? { object: found.object } : {};
  }
  if (kind === undefined) return {};
  const written = writtenFromList('List' in item ? item.List.items : []);
  const found = change.store.find(written);
  // Of an index Postgres says 42704 (measured, strangers.test.ts).
  if (found.is === 'absent' && kind === 'index') return absentAs('42704', `index "${written.name}" does not exist`, found.because ?? true);
  if (found.is === 'absent') return missingOk ? {} : { refusal: refuseMissing(written, found.because ?? true) };
  if (found.is === 'unknown') {
    if (!missingOk) change.store.world = 'open';
    return { strange: written };
  }
  const object = found.object;
  // A wrong kind is refused under IF EXISTS too (measured, facts E).
  return object.kind === kind ? { object } : { refusal: refuse('42809', `"${object.name.name}" is not a ${kind === 'matview' ? 'materialized view' : kind}`, [], object.id) };
}

/** The objects that a DROP names, as far as the history knows them. */
export function located(change: Change, node: DropStmt): readonly CatalogObject[] {
  return [...new Set((node.objects ?? []).flatMap(item => locate(change, node, item).object ?? []))];
}

/**
 * What an extension brought is not in the history: which views call its functions or operators, and which indexes use its operator classes, is
 * not known, and those go with it. Plain indexes of the built-in classes, and tables, stay.
 */
function doubtAfter(change: Change, extension: string): void {
  gap(change, `what goes along with extension ${extension} is not known`);
  for (const object of [...change.store.relations()]) {
    const opaque = object.kind === 'index' && (object.method !== 'btree' || object.predicate !== undefined
      || object.columns.some(({ column, opclass }) => column === undefined || opclass !== undefined));
    if (object.kind === 'view' || object.kind === 'matview' || opaque) change.store.cloud(object.name);
    if (object.kind === 'matview') for (const index of change.store.indexesOf(object.id)) change.store.cloud(index.name);
  }
}

/** A DROP of what the history does not show: afterwards nothing has the name, whatever had it. */
function dropStranger(change: Change, written: WrittenName, cascade: boolean): void {
  const schema = change.store.schemaOf(written);
  if (schema === undefined || isSystemSchema(schema) || isHole(written.name) || isHole(schema)) return;
  const name = { schema, name: written.name };
  const objects = change.store.doubted(name);
  const toll = objects.length === 0 ? undefined : tollOf(change, objects);
  // Something hangs on it in one of its forms: whether this DROP gets by, or takes that along, is not known.
  if (toll?.blocked.some(item => !cascade || change.store.isCertain(item.object.id))) {
    if (cascade) for (const taken of toll.goes.values()) if (isRelation(taken)) change.store.cloud(taken.name);
    return;
  }
  if (toll) removeAll(change, toll.goes);
  if (toll && cascade) removeColumns(change, toll.columns);
  change.store.vanish(name, { span: change.statement.span, says: `${written.name} is dropped here` });
}

/** DROP of whole objects: refusals first (2BP01, 42809, 42P01), then one effect for each named object. */
export function drop(change: Change, node: DropStmt): Outcome {
  if (node.concurrent === true && change.inTransactionBlock) return refuse('25001', 'DROP INDEX CONCURRENTLY cannot run inside a transaction block');
  const named: CatalogObject[] = [];
  const strangers: WrittenName[] = [];
  for (const item of node.objects ?? []) {
    const { object, refusal, strange, inside = [] } = locate(change, node, item);
    if (refusal) return refusal;
    if (inside.length > 0 && node.behavior !== 'DROP_CASCADE') return refuse('2BP01', `cannot drop schema ${namesOf([item]).join()} because other objects depend on it`);
    for (const one of object ? [object] : inside) if (!named.includes(one)) named.push(one);
    if (strange) strangers.push(strange);
  }
  const cascade = node.behavior === 'DROP_CASCADE';
  for (const stranger of strangers) dropStranger(change, stranger, cascade);
  const all = tollOf(change, named);
  const ids = new Set(named.map(object => object.id));
  const blocked = all.blocked.filter(({ object }) => !ids.has(object.id));
  const keys = foreignKeysOn(change, all.goes);
  const sure = blocked.filter(({ object }) => change.store.isCertain(object.id));
  if (!cascade && (sure.length > 0 || keys.length > 0)) {
    const first = named.find(object => isRelation(object));
    const what = named.length === 1 ? `${kindWord(named[0]!)} ${printName(named[0]!)}` : 'desired object(s)';
    const holders = keys.map(object => ({ object, on: named[0]!.id }));
    return refuseDependants(change, what, { blocked: [...sure, ...holders] }, first?.id);
  }
  for (const object of named) {
    if (object.kind === 'index' && object.constraint !== undefined) {
      const table = change.store.get(object.on);
      return refuse('2BP01', `cannot drop index ${printName(object)} because constraint ${object.constraint} on table ${table ? printName(table) : ''} requires it`, [], object.id);
    }
  }
  if (!cascade && blocked.length > 0) {
    // Only what may be there depends on it: Postgres refuses the DROP, or it takes place.
    const before = change.store.fork();
    removeAll(change, new Map([...all.goes].filter(([id]) => !blocked.some(({ object }) => object.id === id))));
    change.store.join(before);
    return undefined;
  }
  for (const object of named) {
    const toll = named.length === 1 ? all : tollOf(change, [object]);
    const takes = cascade ? notable(toll, ids).filter(taken => change.store.isCertain(taken.id)) : [];
    const columns = cascade ? columnsTaken(change, toll.columns) : [];
    change.effects.push({ kind: 'dropObject', object, cascade, takes, ...(columns.length > 0 ? { columns } : {}), via: change.via });
  }
  removeAll(change, all.goes);
  removeColumns(change, all.columns);
  if (cascade) for (const object of named) if (object.kind === 'extension') doubtAfter(change, object.name);
  return undefined;
}
