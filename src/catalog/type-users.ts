/** Who holds on to a type: columns one by one, tables whole only by OF and by their partition key (measured, dependencies.test.ts). */
import type { Column, ObjectId, Type } from '../model.ts';
import type { ColumnDef, Node, TypeName } from '../sql/tree.ts';
import { typeWritten } from '../sql/type-name.ts';
import { isUnknown, type Change } from './change.ts';
import type { Store } from './store.ts';

/** The history's own type that a column's text names: `st`, `types.st[]`. */
export function typeNamed(store: Store, text: string): Type | undefined {
  const name = text.endsWith('[]') ? text.slice(0, -2) : text;
  const dot = name.indexOf('.');
  const found = store.findType(dot < 0 ? { schema: 'public', name } : { schema: name.slice(0, dot), name: name.slice(dot + 1) });
  return found.is === 'present' ? found.object : undefined;
}

/** Extensions whose types are known by name: citext is measured (dependencies.test.ts), the others are as their manuals name them. */
const typesOfExtensions: Readonly<Record<string, readonly string[]>> = {
  citext: ['citext'], hstore: ['hstore'], ltree: ['ltree', 'lquery', 'ltxtquery'], postgis: ['geometry', 'geography'], vector: ['vector', 'halfvec', 'sparsevec'],
};
const extensionsByType: ReadonlyMap<string, string> = new Map(Object.entries(typesOfExtensions).flatMap(([name, types]) => types.map(type => [type, name])));

/** The extension of this history that a column's type is of, in whatever schema: `citext[]`, `extensions.geometry(Point,4326)`. */
function extensionOf(store: Store, text: string): ObjectId | undefined {
  const end = text.search(/[([]/);
  const type = end < 0 ? text : text.slice(0, end);
  const name = extensionsByType.get(type.slice(type.lastIndexOf('.') + 1));
  const found = name === undefined ? undefined : store.findGlobal('extension', name);
  return found?.is === 'present' ? found.object.id : undefined;
}

/** Records what these columns of a table are of; a partitioned table goes whole with the type of a key of it. */
export function dependOnColumnTypes(store: Store, table: ObjectId, columns: readonly Column[], keys: readonly string[] = []): void {
  for (const column of columns) {
    const on = isUnknown(column.type) ? undefined : typeNamed(store, column.type)?.id ?? extensionOf(store, column.type);
    if (on === undefined) continue;
    store.depend({ dependent: table, on, strength: 'normal', ...(keys.includes(column.name) ? {} : { by: column.name }) });
  }
}

/** Records that an object cannot be without these types, or `by` a part of it: a domain's base, a range's subtype, a routine's arguments. */
export function dependOnTypes(change: Change, dependent: ObjectId, types: readonly (TypeName | undefined)[], by?: string): void {
  const ids = types.flatMap(type => {
    const found = type && change.store.findType(typeWritten(type));
    return found?.is === 'present' && found.object.id !== dependent ? [found.object.id] : [];
  });
  for (const on of new Set(ids)) change.store.depend({ dependent, on, strength: 'normal', ...(by === undefined ? {} : { by }) });
}

/** CREATE TYPE … AS (…): each attribute holds on to its own type, and goes alone. */
export function dependOnAttributes(change: Change, type: ObjectId, attributes: readonly Node[] | undefined): void {
  for (const item of attributes ?? []) {
    const { colname, typeName }: ColumnDef = 'ColumnDef' in item ? item.ColumnDef : {};
    dependOnTypes(change, type, [typeName], colname ?? '');
  }
}

/** The subtype of CREATE TYPE … AS RANGE. */
export function subtypeOf(parameters: readonly Node[] | undefined): TypeName | undefined {
  const found = parameters?.find(item => 'DefElem' in item && item.DefElem.defname === 'subtype');
  const arg = found && 'DefElem' in found ? found.DefElem.arg : undefined;
  return arg && 'TypeName' in arg ? arg.TypeName : undefined;
}
