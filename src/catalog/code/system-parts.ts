import type { Catalog, CatalogObject, Column, Constraint, Known, Relation, Selectable } from '../../model.ts';
import { isRelation } from '../names.ts';
import { nullValue, textValue, unknownValue, type Value } from './values.ts';
import type { SystemRelation, SystemRow } from './system-relations.ts';

const known = (fact: Known<boolean> | undefined): Value => (typeof fact === 'boolean' ? { is: 'boolean', value: fact } : unknownValue);
const yes = (fact: Known<boolean>): Value => (typeof fact === 'boolean' ? textValue(fact ? 'YES' : 'NO') : unknownValue);
const object = (id: number): Value => ({ is: 'object', id });
const row = (certain: boolean, values: Readonly<Record<string, Value>>): SystemRow => ({ certain, values: new Map(Object.entries(values)) });
/** The real name of a session's temporary schema is not pg_temp. */
export const schemaValue = (schema: string): Value => (schema === 'pg_temp' ? unknownValue : textValue(schema));
/** A number of which only the sign is known. */
const positive: Value = { is: 'number', value: 0, upTo: Infinity };
const isSelectable = (item: CatalogObject): item is Selectable => item.kind === 'table' || item.kind === 'view' || item.kind === 'matview';

/** Columns that every table has beside its own, and what is left of dropped ones. */
const systemColumn = (name: string): boolean => /^(?:ctid|xmin|xmax|cmin|cmax|tableoid)$|^\.{8}pg\.dropped\./.test(name);

function* attributes(catalog: Catalog): Iterable<SystemRow> {
  for (const item of catalog.objects()) {
    if (!isRelation(item)) continue;
    // Columns that are not known may have any name; those of indexes and sequences nobody asks for.
    if (!isSelectable(item) || 'unknown' in item.columns) yield row(false, { attrelid: object(item.id) });
    else for (const column of item.columns) yield row(catalog.isCertain(item.id), {
      attrelid: object(item.id), attname: textValue(column.name), attnum: positive, attisdropped: { is: 'boolean', value: false },
      ...(item.kind === 'table' ? { attnotnull: known(column.notNull) } : {}),
    });
  }
}

/** Types that information_schema names as format_type does, but for their modifiers; arrays, and those that somebody made, have other words there. */
const plainTypes = new Set([
  'bigint', 'integer', 'smallint', 'numeric', 'real', 'double precision', 'text', 'character varying', 'character', 'boolean', 'date', 'uuid', 'json', 'jsonb', 'bytea', 'interval',
  'timestamp without time zone', 'timestamp with time zone', 'time without time zone', 'time with time zone', 'inet',
]);
function dataType({ type }: Column): Value {
  const bare = typeof type === 'string' ? type.replace(/\(\d+(?:,\d+)?\)/, '') : '';
  return plainTypes.has(bare) ? textValue(bare) : unknownValue;
}

function* columns(catalog: Catalog): Iterable<SystemRow> {
  for (const item of catalog.objects()) {
    if (item.kind !== 'table' && item.kind !== 'view') continue;
    const place = { table_schema: schemaValue(item.name.schema), table_name: textValue(item.name.name) };
    if ('unknown' in item.columns) yield row(false, place);
    else for (const column of item.columns) yield row(catalog.isCertain(item.id), {
      ...place, column_name: textValue(column.name), data_type: dataType(column),
      ...(item.kind === 'table' && typeof column.notNull === 'boolean' ? { is_nullable: yes(!column.notNull) } : {}),
    });
  }
}

const letters: Readonly<Record<Constraint['kind'], string>> = { 'primary key': 'p', unique: 'u', 'foreign key': 'f', check: 'c', exclude: 'x' };

/** Constraints of tables; those of domains may have any name, and so may those of a table that a branch left in doubt. */
function* constraints(
  catalog: Catalog, of: (table: Relation, constraint: Constraint) => Readonly<Record<string, Value>>, doubtful: (item: CatalogObject) => Readonly<Record<string, Value>> | undefined,
): Iterable<SystemRow> {
  for (const item of catalog.objects()) {
    if (item.kind === 'table') {
      const sure = catalog.isCertain(item.id) && item.inDoubt?.includes('constraint') !== true;
      for (const constraint of item.constraints) yield row(sure, of(item, constraint));
    }
    const perhaps = (item.kind === 'table' && item.inDoubt?.includes('constraint') === true) || (item.kind === 'type' && item.form === 'domain') ? doubtful(item) : undefined;
    if (perhaps !== undefined) yield row(false, perhaps);
  }
}

/** From 18 on a NOT NULL is a constraint with a name of its own; information_schema has always named them in its own way. */
const notNullName = (name: string): boolean => /_not_null\d*$/.test(name);
const words: Readonly<Record<Constraint['kind'], string>> = { 'primary key': 'PRIMARY KEY', unique: 'UNIQUE', 'foreign key': 'FOREIGN KEY', check: 'CHECK', exclude: '' };

function* indexes(catalog: Catalog): Iterable<SystemRow> {
  for (const item of catalog.objects()) {
    if (item.kind !== 'index') continue;
    const table = catalog.get(item.on);
    const constraint = table?.kind === 'table' ? table.constraints.find(one => one.index === item.id) : undefined;
    yield row(catalog.isCertain(item.id), {
      indexrelid: object(item.id), indrelid: object(item.on), indisunique: known(item.unique), indisprimary: known(constraint?.kind === 'primary key'), indisvalid: known(item.valid),
      indpred: item.predicate === undefined ? nullValue : textValue(item.predicate),
      indexprs: item.columns.every(column => column.column !== undefined) ? nullValue : textValue('expressions'),
      ...(catalog.isCertain(item.on) ? {} : { indisprimary: unknownValue }),
    });
  }
}

function* of<K extends CatalogObject['kind']>(
  catalog: Catalog, kind: K, rows: (item: Extract<CatalogObject, { kind: K }>) => readonly Readonly<Record<string, Value>>[],
): Iterable<SystemRow> {
  for (const item of catalog.objects())
    if (item.kind === kind) for (const values of rows(item as Extract<CatalogObject, { kind: K }>)) yield row(catalog.isCertain(item.id), values);
}
const nameOf = (catalog: Catalog, id: number): readonly [schema: Value, name: Value] => {
  const item = catalog.get(id);
  return isRelation(item) ? [schemaValue(item.name.schema), textValue(item.name.name)] : [unknownValue, unknownValue];
};

/** The parts of relations, types and schemas that migrations ask for; their meaning is the documentation's (chapters System Catalogs and The Information Schema). */
export const systemParts: Readonly<Record<string, SystemRelation>> = {
  pg_attribute: { name: 'attname', table: 'attrelid', hidden: systemColumn, builtin: () => true, rows: attributes },
  'information_schema.columns': { schema: 'table_schema', name: 'table_name', rows: columns },
  pg_constraint: {
    name: 'conname', table: 'conrelid', hidden: notNullName,
    rows: catalog => constraints(catalog, (table, { name, kind, references }) => ({
      conname: textValue(name), conrelid: object(table.id), contype: textValue(letters[kind]), ...(references === undefined ? {} : { confrelid: object(references) }),
    }), item => ({ conrelid: object(item.kind === 'table' ? item.id : 0) })),
  },
  'information_schema.table_constraints': {
    schema: 'table_schema', name: 'constraint_name', table: 'table_name', hidden: notNullName,
    rows: catalog => constraints(catalog, (table, { name, kind }) => ({
      constraint_schema: schemaValue(table.name.schema), table_schema: schemaValue(table.name.schema), table_name: textValue(table.name.name), constraint_name: textValue(name),
      // EXCLUDE constraints are not listed (measured).
      constraint_type: words[kind] === '' ? unknownValue : textValue(words[kind]),
    }), item => (item.kind === 'table' ? { table_schema: schemaValue(item.name.schema), table_name: textValue(item.name.name) } : undefined)),
  },
  pg_index: { name: 'indexrelid', table: 'indrelid', rows: indexes },
  pg_inherits: {
    name: 'inhrelid', table: 'inhparent', rows: catalog => of(catalog, 'table', ({ id, inherits }) => inherits.map(parent => ({ inhrelid: object(id), inhparent: object(parent) }))),
  },
  pg_policies: {
    schema: 'schemaname', name: 'policyname', table: 'tablename', empty: true,
    rows: catalog => of(catalog, 'policy', policy => {
      const [schema, table] = nameOf(catalog, policy.on);
      return [{ schemaname: schema, tablename: table, policyname: textValue(policy.name) }];
    }),
  },
  pg_policy: { name: 'polname', table: 'polrelid', empty: true, rows: catalog => of(catalog, 'policy', policy => [{ polname: textValue(policy.name), polrelid: object(policy.on) }]) },
  pg_enum: {
    name: 'enumlabel', table: 'enumtypid', empty: true,
    rows: catalog => of(catalog, 'type', type => (type.form !== 'enum' ? [] : type.detail.map(label => ({ enumlabel: textValue(label), enumtypid: object(type.id) })))),
  },
  pg_sequences: {
    schema: 'schemaname', name: 'sequencename', empty: true,
    rows: catalog => of(catalog, 'sequence', sequence => [{ schemaname: schemaValue(sequence.name.schema), sequencename: textValue(sequence.name.name) }]),
  },
  'information_schema.sequences': {
    schema: 'sequence_schema', name: 'sequence_name', empty: true,
    // The sequence of an identity column is not listed, that of a serial one is (measured).
    rows: catalog => [...of(catalog, 'sequence', sequence => [{ sequence_schema: schemaValue(sequence.name.schema), sequence_name: textValue(sequence.name.name) }])]
      .map(one => ({ ...one, certain: false })),
  },
  'information_schema.triggers': {
    name: 'trigger_name', table: 'event_object_table', empty: true, many: true,
    rows: catalog => of(catalog, 'trigger', trigger => {
      const [schema, table] = nameOf(catalog, trigger.on);
      return [{ trigger_name: textValue(trigger.name), trigger_schema: schema, event_object_schema: schema, event_object_table: table }];
    }),
  },
};
