import type { Evidence, Relation, Selectable } from '../model.ts';
import type { CommentStmt, DropStmt, GrantStmt, Node, RangeVar, RenameStmt } from '../sql/tree.ts';
import { isSelectable, isUnknown, kindWord, printName, refuse, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { isPlainRole } from './privileges.ts';
import { isRelation } from './names.ts';
import { mayNotPut, refusedSchema } from './schema-rights.ts';

/**
 * 42501 for what the session's role may not do to somebody else's relation. Claimed of roles that the history made, that are no superuser and
 * belong to no other role, and of relations whose owner is known: after SET ROLE, and inside SECURITY DEFINER routines. Which statements ask for
 * the owner, and what they ask before it, is measured (ownership.test.ts). Deliberately absent: rights on databases and routines.
 */
export function refusedToRole(change: Change, node: Node): Outcome {
  const { role } = change.store.session;
  if (isUnknown(role) || !isPlainRole(role, change.store)) return undefined;
  const asked: Asked = { change, role };
  return refusedSchema(change, role, node) ?? refusedRelation(asked, node);
}

function refusedRelation(asked: Asked, node: Node): Outcome {
  const { change, role } = asked;
  if ('AlterTableStmt' in node) return mustOwn(asked, relationAt(change, node.AlterTableStmt.relation));
  if ('RenameStmt' in node) return renamed(asked, node.RenameStmt);
  if ('AlterObjectSchemaStmt' in node) {
    const relation = relationAt(change, node.AlterObjectSchemaStmt.relation);
    return mustOwn(asked, relation) ?? (relation && mayNotPut(change, role, node.AlterObjectSchemaStmt.newschema ?? ''));
  }
  if ('AlterSeqStmt' in node) return mustOwn(asked, relationAt(change, node.AlterSeqStmt.sequence));
  if ('CreatePolicyStmt' in node) return mustOwn(asked, relationAt(change, node.CreatePolicyStmt.table));
  if ('IndexStmt' in node) {
    // CONCURRENTLY inside a transaction block is refused before anybody is asked.
    const blocked = node.IndexStmt.concurrent === true && change.inTransactionBlock;
    const relation = relationAt(change, node.IndexStmt.relation);
    return blocked ? undefined : mustOwn(asked, relation) ?? (isSelectable(relation) ? mayNotPut(change, role, relation.name.schema) : undefined);
  }
  if ('ViewStmt' in node) return node.ViewStmt.replace === true ? mustOwn(asked, relationAt(change, node.ViewStmt.view)) : undefined;
  if ('DropStmt' in node) return dropped(asked, node.DropStmt);
  if ('CommentStmt' in node) return commented(asked, node.CommentStmt);
  if ('RefreshMatViewStmt' in node) return maintained(asked, relationAt(change, node.RefreshMatViewStmt.relation));
  if ('GrantStmt' in node) return granted(asked, node.GrantStmt);
  if ('InsertStmt' in node) return allowed(asked, relationAt(change, node.InsertStmt.relation), 'INSERT');
  if ('UpdateStmt' in node) return allowed(asked, relationAt(change, node.UpdateStmt.relation), 'UPDATE');
  if ('DeleteStmt' in node) return allowed(asked, relationAt(change, node.DeleteStmt.relation), 'DELETE');
  return undefined;
}

interface Asked {
  readonly change: Change;
  readonly role: string;
}

/** The relation that is surely meant. */
function relationAt(change: Change, range: RangeVar | undefined): Relation | undefined {
  if (range === undefined) return undefined;
  const found = change.store.find(writtenName(range));
  return found.is === 'present' && change.store.isCertain(found.object.id) ? found.object : undefined;
}

/** Whether the relation surely is somebody else's. */
const isForeign = ({ role }: Asked, relation: Relation): boolean => !isUnknown(relation.owner) && relation.owner !== role;

/** Who owns it, and where the session became somebody else. */
function because(relation: Relation): readonly Evidence[] {
  return relation.madeAt === undefined || isUnknown(relation.owner) ? []
    : [{ span: relation.madeAt, says: `${printName(relation)} is made here; it belongs to ${relation.owner}` }];
}

function mustOwn(asked: Asked, relation: Relation | undefined): Outcome {
  if (relation === undefined || !isForeign(asked, relation)) return undefined;
  return refuse('42501', `must be owner of ${kindWord(relation)} ${relation.name.name}`, because(relation), relation.id);
}

function denied(relation: Relation): Outcome {
  return refuse('42501', `permission denied for ${kindWord(relation)} ${relation.name.name}`, because(relation), relation.id);
}

const relationKinds = new Set([
  'OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT',
]);

function renamed(asked: Asked, node: RenameStmt): Outcome {
  const relation = relationKinds.has(node.renameType ?? '') ? relationAt(asked.change, node.relation) : undefined;
  const moves = node.renameType !== 'OBJECT_COLUMN' && node.renameType !== 'OBJECT_TABCONSTRAINT';
  return mustOwn(asked, relation) ?? (relation && moves ? mayNotPut(asked.change, asked.role, relation.name.schema) : undefined);
}

const kinds: Readonly<Record<string, Relation['kind']>> = {
  OBJECT_TABLE: 'table', OBJECT_VIEW: 'view', OBJECT_MATVIEW: 'matview', OBJECT_INDEX: 'index', OBJECT_SEQUENCE: 'sequence',
};

/** DROP asks for the owner of the object or of its schema, name by name; a missing or a wrong kind of one is refused in its turn. */
function dropped(asked: Asked, node: DropStmt): Outcome {
  const kind = kinds[node.removeType ?? ''];
  if (kind === undefined) return undefined;
  for (const item of node.objects ?? []) {
    const found = asked.change.store.find(writtenFromList('List' in item ? item.List.items : undefined));
    if (found.is !== 'present' && node.missing_ok === true) continue;
    if (found.is !== 'present' || found.object.kind !== kind || !asked.change.store.isCertain(found.object.id)) return undefined;
    const schema = asked.change.store.findSchema(found.object.name.schema);
    const mayBeOwner = schema.is !== 'present' || isUnknown(schema.object.owner) || schema.object.owner === asked.role;
    if (!mayBeOwner && isForeign(asked, found.object)) return mustOwn(asked, found.object);
  }
  return undefined;
}

function commented(asked: Asked, node: CommentStmt): Outcome {
  const kind = kinds[node.objtype ?? ''];
  const { object } = node;
  if (kind === undefined || object === undefined || !('List' in object)) return undefined;
  const found = asked.change.store.find(writtenFromList(object.List.items));
  return found.is === 'present' && found.object.kind === kind && asked.change.store.isCertain(found.object.id) ? mustOwn(asked, found.object) : undefined;
}

/** REFRESH: the owner, and from 17 on whoever holds MAINTAIN (measured, facts E). */
function maintained(asked: Asked, relation: Relation | undefined): Outcome {
  if (relation === undefined || (relation.kind !== 'matview' && relation.kind !== 'table')) return undefined;
  if (asked.change.postgres < 17) return mustOwn(asked, relation);
  return allowed(asked, relation, 'MAINTAIN');
}

/** GRANT and REVOKE by a stranger: refused to who holds nothing at all on it, a warning to who holds something but no grant option. */
function granted(asked: Asked, node: GrantStmt): Outcome {
  if (node.targtype !== 'ACL_TARGET_OBJECT' || node.objtype !== 'OBJECT_TABLE') return undefined;
  for (const item of node.objects ?? []) {
    const relation = 'RangeVar' in item ? relationAt(asked.change, item.RangeVar) : undefined;
    if (!isSelectable(relation)) return undefined;
    if (isForeign(asked, relation) && !holdsAnything(asked, relation)) {
      // Postgres calls every relation a table here (measured).
      return refuse('42501', `permission denied for table ${relation.name.name}`, because(relation), relation.id);
    }
  }
  return undefined;
}

const grantees = (asked: Asked): readonly string[] => [asked.role, 'public'];

function holdsAnything(asked: Asked, relation: Selectable): boolean {
  return isUnknown(relation.columns) || grantees(asked).some(name => (relation.grants.get(name)?.size ?? 0) > 0)
    || relation.columns.some(column => grantees(asked).some(name => (column.grants?.get(name)?.size ?? 0) > 0));
}

/** A privilege on the relation, or on any of its columns. */
function allowed(asked: Asked, relation: Relation | undefined, privilege: string): Outcome {
  if (!isSelectable(relation) || !isRelation(relation) || !isForeign(asked, relation) || isUnknown(relation.columns)) return undefined;
  const holds = grantees(asked).some(name => relation.grants.get(name)?.has(privilege) === true)
    || relation.columns.some(column => grantees(asked).some(name => column.grants?.get(name)?.has(privilege) === true));
  return holds ? undefined : denied(relation);
}
