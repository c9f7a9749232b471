import type {
  Catalog, Column, Constraint, Grants, Index, IndexColumn, Known, Matview, Name, ObjectId, Query, Routine, Sequence, Statement, Table, Type, View,
} from '../model.ts';
import { isUnknown } from '../catalog/change.ts';
import { emptyCatalog, type Store } from '../catalog/store.ts';
import { dependOnColumnTypes } from '../catalog/type-users.ts';
import { quoteName } from '../sql/print.ts';
import { normalText } from '../sql/tokens.ts';
import { queries, type QueryName } from './introspect-sql.ts';

type Row = Readonly<Record<string, unknown>>;
type Answers = Readonly<Record<QueryName, readonly Row[]>>;

const text = (value: unknown): string => String(value ?? '');
const optional = (value: unknown): string | undefined => (value === null || value === undefined ? undefined : String(value));
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Rows of grantee and privilege. */
function grantsOf(value: unknown): Grants {
  const grants = new Map<string, Set<string>>();
  for (const pair of Array.isArray(value) ? value as unknown[] : []) {
    const [grantee, privilege] = list(pair);
    if (grantee !== undefined && privilege !== undefined) grants.set(grantee, (grants.get(grantee) ?? new Set()).add(privilege));
  }
  return grants;
}

/** `key=value` items of reloptions and proconfig. */
function pairs(value: unknown): ReadonlyMap<string, string> {
  return new Map(list(value).map(item => {
    const at = item.indexOf('=');
    return [item.slice(0, at).toLowerCase(), item.slice(at + 1)];
  }));
}

/** A statement that a database printed; its place is the object's name, for there is no source. */
function printed(sql: string, name: string): Statement {
  return { sql, span: { path: `database: ${name}`, start: 0, end: sql.length }, origins: [], ignores: [] };
}

function queryOf(name: Name, materialized: boolean, definition: string): Query {
  const head = `CREATE ${materialized ? 'MATERIALIZED ' : ''}VIEW ${quoteName(name, [])} AS\n`;
  const body = definition.trim().replace(/;$/, '');
  const sql = head + body;
  // pg_get_viewdef qualifies by the session's path; `introspect` empties that first, so no search path is needed to read it.
  return {
    statement: printed(sql, `${name.schema}.${name.name}`), start: head.length, end: sql.length, names: [], searchPath: [], reads: [],
  };
}

/** oids of pg_class, pg_type, pg_proc … are one number space a catalog; ids are looked up by both. */
class Ids {
  private readonly ids = new Map<string, ObjectId>();
  private readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }

  make(catalog: string, oid: unknown): ObjectId {
    const id = this.store.newId();
    this.ids.set(`${catalog} ${text(oid)}`, id);
    return id;
  }

  get(catalog: string, oid: unknown): ObjectId | undefined {
    return this.ids.get(`${catalog} ${text(oid)}`);
  }
}

const byKey = (rows: readonly Row[], key: string): ReadonlyMap<string, readonly Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(text(row[key]));
    if (group) group.push(row);
    else groups.set(text(row[key]), [row]);
  }
  return groups;
};

const columnOf = (row: Row, isView: boolean): Column => {
  const grants = grantsOf(row['grants']);
  const comment = optional(row['comment']);
  const collation = isView ? undefined : optional(row['collation']);
  const generated = ({ s: 'stored', v: 'virtual' } as const)[text(row['generated']) as 's' | 'v'];
  return {
    name: text(row['name']), type: text(row['type']).replace(/^public\./, ''), notNull: !isView && row['not_null'] === true, ...(grants.size > 0 ? { grants } : {}), ...(comment === undefined ? {} : { comment }),
    ...(collation === undefined ? {} : { collation }), ...(generated === undefined ? {} : { generated }),
  };
};

const constraintKinds: Readonly<Record<string, Constraint['kind']>> = { p: 'primary key', u: 'unique', f: 'foreign key', c: 'check', x: 'exclude' };
const volatilities: Readonly<Record<string, 'immutable' | 'stable' | 'volatile'>> = { i: 'immutable', s: 'stable', v: 'volatile' };

function putRelations(store: Store, ids: Ids, answers: Answers): void {
  const columns = byKey(answers.columns, 'relation');
  const constraints = byKey(answers.constraints, 'relation');
  const clustered = new Map(answers.indexes.filter(row => row['clustered'] === true).map(row => [text(row['relation']), text(row['oid'])]));
  const owners = new Map(answers.sequenceOwners.map(row => [text(row['sequence']), row]));
  for (const row of answers.relations) ids.make('pg_class', row['oid']);
  for (const row of answers.indexes) ids.make('pg_class', row['oid']);
  for (const row of answers.relations) {
    const oid = text(row['oid']);
    const id = ids.get('pg_class', oid) as ObjectId;
    const name: Name = { schema: text(row['schema']), name: text(row['name']) };
    const comment = optional(row['comment']);
    const tablespace = optional(row['tablespace']);
    const base = {
      id, name, owner: text(row['owner']), options: pairs(row['options']), grants: grantsOf(row['grants']),
      ...(comment === undefined ? {} : { comment }), ...(tablespace === undefined ? {} : { tablespace }),
    };
    const kind = text(row['kind']);
    const own = columns.get(oid) ?? [];
    const isView = kind === 'v' || kind === 'm';
    const selectable = { ...base, columns: own.map(column => columnOf(column, isView)) };
    if (kind === 'v') store.put({ ...selectable, kind: 'view', query: queryOf(name, false, text(row['definition'])) } satisfies View);
    else if (kind === 'm') {
      const index = ids.get('pg_class', clustered.get(oid));
      const statistics = own.map(column => [text(column['name']), Number(column['statistics'] ?? -1)] as const).filter(([, target]) => target >= 0);
      store.put({
        ...selectable, kind: 'matview', query: queryOf(name, true, text(row['definition'])), populated: row['populated'] === true,
        everPopulated: row['populated'] === true ? true : { unknown: 'whether the view was ever populated' }, statistics: new Map(statistics),
        ...(index === undefined ? {} : { clusteredOn: index }),
      } satisfies Matview);
    } else if (kind === 'S') {
      const owner = owners.get(oid);
      const table = owner && ids.get('pg_class', owner['relation']);
      store.put({ ...base, kind: 'sequence', ...(owner && table !== undefined ? { ownedBy: { table, column: text(owner['column']) } } : {}) } satisfies Sequence);
    } else {
      const persistence = ({ t: 'temporary', u: 'unlogged' } as const)[text(row['persistence']) as 't' | 'u'] ?? 'permanent';
      store.put({
        ...selectable, kind: 'table', persistence, partitioned: kind === 'p', rowSecurity: row['row_security'] === true, ...(kind === 'f' ? { foreign: true } : {}),
        inherits: list(row['parents']).map(parent => ids.get('pg_class', parent)).filter(parent => parent !== undefined),
        constraints: (constraints.get(oid) ?? []).map(constraint => {
          const index = ids.get('pg_class', constraint['index']);
          const parent = ids.get('pg_class', constraint['parent']);
          const constraintKind = constraintKinds[text(constraint['kind'])] ?? 'check';
          return {
            name: text(constraint['name']), kind: constraintKind, columns: list(constraint['columns']),
            ...(index === undefined || constraintKind === 'foreign key' ? {} : { index }), ...(parent === undefined ? {} : { references: parent }),
            ...(constraint['deferrable'] === true ? { deferrable: true as const } : {}),
          };
        }),
      } satisfies Table);
    }
  }
}

function putIndexes(store: Store, ids: Ids, answers: Answers): void {
  for (const row of answers.indexes) {
    const on = ids.get('pg_class', row['relation']);
    const id = ids.get('pg_class', row['oid']);
    if (on === undefined || id === undefined) continue;
    const keys = Number(row['keys']);
    const all = (Array.isArray(row['columns']) ? row['columns'] : []) as readonly Row[];
    // indoption: 1 descending, 2 nulls first (src/include/catalog/pg_index.h).
    const columns = all.slice(0, keys).map((part): IndexColumn => {
      const column = optional(part['column']);
      const expression = optional(part['expression']);
      const opclass = optional(part['opclass']);
      const collation = optional(part['collation']);
      const option = Number(part['option'] ?? 0);
      return {
        ...(column === undefined ? { expression: normalText(expression ?? '') } : { column }), descending: (option & 1) !== 0, nullsFirst: (option & 2) !== 0,
        ...(opclass === undefined ? {} : { opclass }), ...(collation === undefined ? {} : { collation }),
      };
    });
    const predicate = optional(row['predicate']);
    const constraint = optional(row['constraint']);
    const comment = optional(row['comment']);
    const tablespace = optional(row['tablespace']);
    const index: Index = {
      kind: 'index', id, name: { schema: text(row['schema']), name: text(row['name']) }, owner: text(row['owner']), on, method: text(row['method']), columns,
      include: all.slice(keys).map(part => text(part['column'])), unique: row['unique'] === true, nullsNotDistinct: row['nulls_not_distinct'] === true,
      valid: row['valid'] === true, options: pairs(row['options']), ...(predicate === undefined ? {} : { predicate: normalText(predicate) }),
      ...(constraint === undefined ? {} : { constraint }), ...(comment === undefined ? {} : { comment }), ...(tablespace === undefined ? {} : { tablespace }),
    };
    store.put(index);
    const plain = columns.map(column => column.column).filter(column => column !== undefined);
    store.depend({ dependent: id, on, strength: 'auto', ...(plain.length === columns.length ? { columns: [...plain, ...index.include] } : {}) });
  }
}

function putOthers(store: Store, ids: Ids, answers: Answers): void {
  for (const row of answers.types) {
    const kind = text(row['kind']);
    const form: Type['form'] = row['defined'] !== true ? 'shell' : kind === 'e' ? 'enum' : kind === 'd' ? 'domain' : kind === 'r' ? 'range' : 'composite';
    const detail = form === 'enum' ? list(row['labels']) : form === 'domain' ? [text(row['base'])] : form === 'composite' ? list(row['fields']) : [];
    store.put({ kind: 'type', id: ids.make('pg_type', row['oid']), name: { schema: text(row['schema']), name: text(row['name']) }, owner: text(row['owner']), form, detail });
  }
  for (const row of answers.routines) {
    const name: Name = { schema: text(row['schema']), name: text(row['name']) };
    const definition = text(row['definition']);
    const open = /\bAS (\$[\w]*\$)/.exec(definition);
    const start = open ? open.index + open[0].length : -1;
    const end = open ? definition.lastIndexOf(open[1] ?? '$$') : -1;
    const kind = text(row['kind']);
    const volatility: Known<'immutable' | 'stable' | 'volatile'> = volatilities[text(row['volatility'])] ?? { unknown: 'the volatility' };
    const routine: Routine = {
      kind: 'routine', id: ids.make('pg_proc', row['oid']), name, owner: text(row['owner']), form: kind === 'p' ? 'procedure' : kind === 'a' ? 'aggregate' : 'function',
      arguments: list(row['arguments']), returns: kind === 'p' ? 'void' : text(row['returns']), language: text(row['language']), volatility, settings: pairs(row['settings']),
      statement: printed(definition, `${name.schema}.${name.name}`), ...(start > 0 && end > start ? { body: { start, end } } : {}),
    };
    store.put(routine);
  }
  for (const row of answers.triggers) {
    const on = ids.get('pg_class', row['relation']);
    if (on === undefined) continue;
    const id = ids.make('pg_trigger', row['oid']);
    const routine = ids.get('pg_proc', row['routine']);
    store.put({ kind: 'trigger', id, name: text(row['name']), on, owner: text(row['owner']), routine: routine ?? { unknown: 'a routine of Postgres or an extension' } });
    store.depend({ dependent: id, on, strength: 'auto' });
    if (routine !== undefined) store.depend({ dependent: id, on: routine, strength: 'normal' });
  }
  for (const row of answers.policies) {
    const on = ids.get('pg_class', row['relation']);
    if (on === undefined) continue;
    const id = ids.make('pg_policy', row['oid']);
    store.put({ kind: 'policy', id, name: text(row['name']), on, owner: text(row['owner']) });
    store.depend({ dependent: id, on, strength: 'auto' });
  }
}

/** Views to what they read, with columns; then the same as `Query.reads`. */
function putReads(store: Store, ids: Ids, answers: Answers): void {
  const found = new Map<string, { dependent: ObjectId; on: ObjectId; relation: boolean; columns: string[]; whole: boolean }>();
  for (const row of answers.reads) {
    const dependent = ids.get('pg_class', row['dependent']);
    const catalog = text(row['catalog']);
    const on = ids.get(catalog === 'pg_constraint' ? 'pg_class' : catalog, row['on']);
    if (dependent === undefined || on === undefined) continue;
    const key = `${dependent} ${on}`;
    const link = found.get(key) ?? { dependent, on, relation: row['catalog'] === 'pg_class', columns: [], whole: false };
    const column = optional(row['column']);
    if (column === undefined) link.whole = true;
    else link.columns.push(column);
    found.set(key, link);
  }
  for (const { dependent, on, columns, relation } of found.values()) {
    // Postgres records the columns when it can name them; a link to the whole relation beside them adds nothing.
    store.depend({ dependent, on, strength: 'normal', ...(relation && columns.length > 0 ? { columns } : {}) });
    const view = store.get(dependent);
    if (!relation || (view?.kind !== 'view' && view?.kind !== 'matview')) continue;
    const read = { id: on, ...(columns.length > 0 ? { columns } : {}), span: view.query.statement.span };
    store.put({ ...view, query: { ...view.query, reads: [...view.query.reads, read] } });
  }
  for (const relation of [...store.relations()]) {
    if (relation.kind !== 'table') continue;
    for (const on of relation.inherits) {
      const parent = store.get(on);
      store.depend({ dependent: relation.id, on, strength: parent?.kind === 'table' && parent.partitioned ? 'auto' : 'normal' });
    }
  }
  // Which columns are the key of a partitioned table is not read: such a table goes whole with the type of one, so nothing is said of it.
  for (const relation of [...store.relations()])
    if (relation.kind === 'table' && !relation.partitioned && relation.inherits.length === 0 && !isUnknown(relation.columns))
      dependOnColumnTypes(store, relation.id, relation.columns);
  for (const row of answers.sequenceOwners) {
    const dependent = ids.get('pg_class', row['sequence']);
    const on = ids.get('pg_class', row['relation']);
    if (dependent !== undefined && on !== undefined) store.depend({ dependent, on, strength: 'auto', columns: [text(row['column'])] });
  }
}

/**
 * The catalog of a live database (PostgreSQL 14 to 18), by reads alone. `query` runs one SELECT and answers its rows with names as keys; json columns
 * arrive parsed, as both `pg` and PGlite do. The search path of the session is emptied for the time of the reads where the session may set it.
 * `given`: the caller has emptied the path already, for this transaction alone, and says what it was.
 * Rejects only when `query` does. The world is closed: what is not there is absent.
 */
export async function introspect(
  query: (sql: string) => Promise<readonly Record<string, unknown>[]>, given?: { readonly searchPath: string },
): Promise<Catalog> {
  const [session] = await query(queries.session);
  const searchPath = given?.searchPath ?? text(session?.['search_path']);
  // An empty path makes Postgres print every user object with its schema.
  if (!given) await query("SELECT set_config('search_path', '', false)");
  const entries: [QueryName, readonly Row[]][] = [];
  for (const name of Object.keys(queries) as QueryName[]) entries.push([name, await query(queries[name])]);
  if (!given) await query(`SELECT set_config('search_path', '${searchPath.replaceAll("'", "''")}', false)`);
  const answers = Object.fromEntries(entries) as Answers;

  const store = emptyCatalog();
  store.complete = true;
  store.session = {
    searchPath: searchPath.split(',').map(part => part.trim().replace(/^"(.*)"$/, '$1')).filter(part => part !== ''), role: text(session?.['role']), parameters: new Map(),
  };
  const ids = new Ids(store);
  for (const row of answers.roles) store.put({ kind: 'role', id: ids.make('pg_authid', row['oid']), name: text(row['name']), owner: text(row['name']), superuser: row['superuser'] === true });
  for (const row of answers.extensions) store.put({ kind: 'extension', id: ids.make('pg_extension', row['oid']), name: text(row['name']), owner: text(row['owner']) });
  const schemas = new Set(answers.schemas.map(row => text(row['name'])));
  const initial = store.findSchema('public');
  if (initial.is === 'present' && !schemas.has('public')) store.remove(initial.object, { span: { path: 'database: public', start: 0, end: 0 }, says: 'the schema public is not there' });
  for (const row of answers.schemas) {
    const known = store.findSchema(text(row['name']));
    const id = known.is === 'present' ? known.object.id : ids.make('pg_namespace', row['oid']);
    store.put({ kind: 'schema', id, name: text(row['name']), owner: text(row['owner']), grants: grantsOf(row['grants']) });
  }
  putRelations(store, ids, answers);
  putIndexes(store, ids, answers);
  putOthers(store, ids, answers);
  putReads(store, ids, answers);
  return store;
}
