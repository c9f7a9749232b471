import type { Schema } from '../model.ts';
import type { Node, RangeVar } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { isUnknown, refuse, writtenFromList, type Change, type Outcome } from './change.ts';
import { lacksUsage } from './roles.ts';
import { lookedIn } from './search-path.ts';
import type { Store } from './store.ts';

/** Whether the role surely may make nothing in the schema. Before 15 everybody might in `public`, and in databases that were upgraded since it may still be so. */
function lacksCreate(role: string, schema: Schema, { store, postgres }: Change): boolean {
  if (isUnknown(schema.owner) || schema.owner === role || [role, 'public'].some(name => schema.grants.get(name)?.has('CREATE') === true)) return false;
  return schema.name !== 'public' || (postgres >= 15 && store.world === 'closed');
}

const known = (store: Store, name: string): Schema | undefined => {
  const found = store.findSchema(name);
  return found.is === 'present' ? found.object : undefined;
};

function denied({ name, madeAt }: Schema): Outcome {
  return refuse('42501', `permission denied for schema ${name}`, [madeAt && { span: madeAt, says: `schema ${name} is made here` }]);
}

/** The names that a statement gives rather than looks up. */
function given(node: Node): RangeVar | undefined {
  if ('CreateStmt' in node) return node.CreateStmt.relation;
  if ('CreateTableAsStmt' in node) return node.CreateTableAsStmt.into?.rel;
  if ('ViewStmt' in node) return node.ViewStmt.view;
  return 'CreateSeqStmt' in node ? node.CreateSeqStmt.sequence : undefined;
}

/** The schemas in which a statement looks names up, as they are written, in the order of its text. */
function* written(node: Node): Iterable<{ readonly schema?: string; readonly name: string }> {
  const lists = 'DropStmt' in node ? node.DropStmt.objects ?? [] : 'CommentStmt' in node && node.CommentStmt.objtype !== 'OBJECT_COLUMN' ? [node.CommentStmt.object] : [];
  for (const item of lists) if (item && 'List' in item) yield writtenFromList(item.List.items);
  const target = given(node);
  const ranges: RangeVar[] = [];
  walk(node, (kind, inner) => {
    if (kind === 'RangeVar' && inner !== target) ranges.push(inner as RangeVar);
  });
  for (const { schemaname: schema, relname: name = '' } of ranges) yield schema === undefined ? { name } : { schema, name };
}

const kindsWithLists = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE']);

/**
 * 42501 for a plain role that names something in a schema without USAGE, or makes something in one without CREATE (measured, ownership.test.ts).
 * In the search path such a schema is passed over (search-path.ts). What REFRESH reads was looked up at CREATE, and is not asked again.
 */
export function refusedSchema(change: Change, role: string, node: Node): Outcome {
  const { store } = change;
  if (!('DropStmt' in node) || kindsWithLists.has(node.DropStmt.removeType ?? ''))
    for (const name of written(node)) {
      const schema = name.schema === undefined ? undefined : known(store, name.schema);
      if (schema && lacksUsage(role, schema)) return denied(schema);
      // A name before it that is missing is refused first.
      if (store.find(name).is !== 'present') return undefined;
    }
  const target = given(node);
  const at = target === undefined || target.relpersistence === 't' ? undefined : target.schemaname ?? store.creationSchema();
  const path = target !== undefined && at === undefined ? lookedIn(store, store.session.searchPath) : undefined;
  if (target?.relpersistence !== 't' && path?.schemas.length === 1 && path.hidden.length > 0) return refuse('3F000', 'no schema has been selected to create in');
  const schema = at === undefined ? undefined : known(store, at);
  const taken = target && 'CreateTableAsStmt' in node && store.find({ schema: at ?? '', name: target.relname ?? '' }).is === 'present';
  if (schema && taken !== true && lacksCreate(role, schema, change)) return denied(schema);
  return undefined;
}

/** The same for a relation that gets another name or index in its schema, or another schema; asked after its owner. */
export function mayNotPut(change: Change, role: string, name: string): Outcome {
  const schema = known(change.store, name);
  return schema && lacksCreate(role, schema, change) ? denied(schema) : undefined;
}
