import type { Catalog, CatalogObject, Known, Relation } from '../../model.ts';
import { builtins } from '../../builtins/builtins.ts';
import { isRelation } from '../names.ts';
import { schemaValue, systemParts } from './system-parts.ts';
import { textValue, unknownValue, type Value } from './values.ts';

/** One row of a system catalog, by column; a column that is missing here is not known. `certain` is false for what may not exist. */
export interface SystemRow {
  readonly certain: boolean;
  readonly values: ReadonlyMap<string, Value>;
}

/** How a system catalog is filled, and where its rows say their schema and name. */
export interface SystemRelation {
  readonly rows: (catalog: Catalog) => Iterable<SystemRow>;
  readonly name: string;
  readonly schema?: string;
  /** The column that names the table a row belongs to. */
  readonly table?: string;
  /** A new database has no row of its own here (measured), so that all rows are the history's. */
  readonly empty?: boolean;
  /** Whether a name is Postgres's own in every database. */
  readonly builtin?: (name: string, postgres: number) => boolean;
  /** Rows that no history shows, of relations that it does; asked for by no name they may match, asked for by one of these they do. */
  readonly hidden?: (name: string) => boolean;
  /** A row here may stand for several. */
  readonly many?: boolean;
  /** Rows are not the database's alone: what the history does not make may exist all the same. */
  readonly shared?: boolean;
}

const known = (fact: Known<boolean>): Value => (typeof fact === 'boolean' ? { is: 'boolean', value: fact } : unknownValue);
const owner = (fact: Known<string>): Value => (typeof fact === 'string' ? textValue(fact) : unknownValue);
const schemaObject = (catalog: Catalog, schema: string): Value => {
  const found = catalog.findSchema(schema);
  return found.is === 'present' ? { is: 'object', id: found.object.id } : unknownValue;
};

/** Whether the history is sure that the object is there: a name that code touched unseen is not. */
function certain(catalog: Catalog, object: Relation): boolean {
  const found = catalog.find(object.name);
  return found.is === 'present' && found.object.id === object.id;
}

function* relations(catalog: Catalog, wanted: (relation: Relation) => boolean, values: (relation: Relation) => Record<string, Value>): Iterable<SystemRow> {
  for (const object of catalog.objects())
    if (isRelation(object) && wanted(object)) yield { certain: certain(catalog, object), values: new Map(Object.entries(values(object))) };
}

function* others<K extends CatalogObject['kind']>(catalog: Catalog, kind: K, values: (object: Extract<CatalogObject, { kind: K }>) => Record<string, Value>): Iterable<SystemRow> {
  for (const object of catalog.objects())
    if (object.kind === kind) yield { certain: catalog.isCertain(object.id), values: new Map(Object.entries(values(object as Extract<CatalogObject, { kind: K }>))) };
}

const relkind = (relation: Relation): string =>
  (relation.kind === 'matview' ? 'm' : relation.kind === 'view' ? 'v' : relation.kind === 'index' ? 'i' : relation.kind === 'sequence' ? 'S' : relation.partitioned ? 'p' : 'r');

/** The columns of these that histories ask for; their meaning is the documentation's (chapters System Catalogs and The Information Schema). */
export const systemRelations: Readonly<Record<string, SystemRelation>> = {
  pg_matviews: {
    schema: 'schemaname', name: 'matviewname', empty: true,
    rows: catalog => relations(catalog, relation => relation.kind === 'matview', relation => ({
      schemaname: schemaValue(relation.name.schema), matviewname: textValue(relation.name.name), matviewowner: owner(relation.owner),
      ispopulated: relation.kind === 'matview' ? known(relation.populated) : unknownValue,
      hasindexes: catalog.indexesOf(relation.id).length > 0 ? { is: 'boolean', value: true } : unknownValue,
    })),
  },
  pg_views: {
    schema: 'schemaname', name: 'viewname',
    rows: catalog => relations(catalog, relation => relation.kind === 'view', relation => ({
      schemaname: schemaValue(relation.name.schema), viewname: textValue(relation.name.name), viewowner: owner(relation.owner),
    })),
  },
  pg_tables: {
    schema: 'schemaname', name: 'tablename',
    rows: catalog => relations(catalog, relation => relation.kind === 'table', relation => ({
      schemaname: schemaValue(relation.name.schema), tablename: textValue(relation.name.name), tableowner: owner(relation.owner),
    })),
  },
  pg_indexes: {
    schema: 'schemaname', name: 'indexname', table: 'tablename',
    rows: catalog => relations(catalog, relation => relation.kind === 'index', relation => ({
      schemaname: schemaValue(relation.name.schema), indexname: textValue(relation.name.name),
      tablename: relation.kind === 'index' ? relationName(catalog, relation.on) : unknownValue,
    })),
  },
  pg_class: {
    schema: 'relnamespace', name: 'relname',
    rows: catalog => relations(catalog, () => true, relation => ({
      oid: { is: 'object', id: relation.id }, relname: textValue(relation.name.name), relkind: textValue(relkind(relation)),
      relnamespace: schemaObject(catalog, relation.name.schema),
      ...(relation.kind === 'matview' ? { relispopulated: known(relation.populated) } : {}),
    })),
  },
  pg_namespace: {
    name: 'nspname',
    rows: catalog => others(catalog, 'schema', schema => ({ oid: { is: 'object', id: schema.id }, nspname: textValue(schema.name) })),
  },
  pg_type: {
    schema: 'typnamespace', name: 'typname',
    // An array type is named after its element, with one more `_` for each clash.
    builtin: (name, postgres) => name.startsWith('_') || builtins(postgres).type(name) !== undefined,
    rows: types,
  },
  pg_proc: {
    schema: 'pronamespace', name: 'proname',
    builtin: (name, postgres) => builtins(postgres).functions(name).length > 0,
    rows: catalog => others(catalog, 'routine', routine => ({
      oid: { is: 'object', id: routine.id }, proname: textValue(routine.name.name), pronamespace: schemaObject(catalog, routine.name.schema),
    })),
  },
  pg_trigger: {
    name: 'tgname', table: 'tgrelid',
    // Foreign keys bring triggers of their own.
    hidden: name => name.startsWith('RI_ConstraintTrigger'),
    rows: catalog => others(catalog, 'trigger', trigger => ({
      tgname: textValue(trigger.name), tgrelid: { is: 'object', id: trigger.on }, tgisinternal: { is: 'boolean', value: false },
    })),
  },
  pg_extension: { name: 'extname', shared: true, rows: catalog => others(catalog, 'extension', extension => ({ extname: textValue(extension.name) })) },
  pg_roles: { name: 'rolname', shared: true, rows: catalog => others(catalog, 'role', role => ({ rolname: textValue(role.name) })) },
  'information_schema.tables': {
    schema: 'table_schema', name: 'table_name',
    // Materialized views are never listed here (measured).
    rows: catalog => relations(catalog, relation => relation.kind === 'table' || relation.kind === 'view', relation => ({
      table_schema: schemaValue(relation.name.schema), table_name: textValue(relation.name.name),
      table_type: textValue(relation.kind === 'view' ? 'VIEW' : relation.name.schema === 'pg_temp' ? 'LOCAL TEMPORARY' : 'BASE TABLE'),
    })),
  },
  'information_schema.views': {
    schema: 'table_schema', name: 'table_name',
    rows: catalog => relations(catalog, relation => relation.kind === 'view', relation => ({
      table_schema: schemaValue(relation.name.schema), table_name: textValue(relation.name.name),
    })),
  },
  'information_schema.routines': {
    schema: 'routine_schema', name: 'routine_name', builtin: (name, postgres) => builtins(postgres).functions(name).length > 0,
    rows: catalog => others(catalog, 'routine', routine => ({ routine_schema: schemaValue(routine.name.schema), routine_name: textValue(routine.name.name) })),
  },
  ...systemParts,
  'information_schema.schemata': {
    name: 'schema_name', rows: catalog => others(catalog, 'schema', schema => ({ schema_name: textValue(schema.name) })),
  },
};

function relationName(catalog: Catalog, id: number): Value {
  const object = catalog.get(id);
  return isRelation(object) ? textValue(object.name.name) : unknownValue;
}

/** Types of the history, and the row types of its relations. */
function* types(catalog: Catalog): Iterable<SystemRow> {
  yield* others(catalog, 'type', type => ({
    oid: { is: 'object', id: type.id }, typname: textValue(type.name.name), typnamespace: schemaObject(catalog, type.name.schema),
  }));
  yield* relations(catalog, relation => relation.kind === 'table' || relation.kind === 'view' || relation.kind === 'matview', relation => ({
    typname: textValue(relation.name.name), typnamespace: schemaObject(catalog, relation.name.schema),
  }));
}
