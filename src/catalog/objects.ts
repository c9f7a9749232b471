import type { CatalogObject, Column, Relation, Type } from '../model.ts';
import type {
  AlterEnumStmt, AlterRoleStmt, CommentStmt, CreateDomainStmt, CreateExtensionStmt, CreatePolicyStmt, CreateRoleStmt, CreateSchemaStmt, CreateSeqStmt, DropRoleStmt, GrantRoleStmt, Node, TypeName,
} from '../sql/tree.ts';
import { typeText } from '../sql/type-name.ts';
import {
  defaultGrants, find, isSelectable, isUnknown, nameForCreate, refuse, refuseMissing, writtenFromList, writtenName, type Change, type Outcome,
} from './change.ts';
import { roleName } from './owners.ts';
import { isHole } from './names.ts';
import { noOptions } from './options.ts';
import { namesOf } from './tables.ts';
import { dependOnAttributes, dependOnTypes } from './type-users.ts';
import { dependOnQueriesIn, existsAlready } from './views.ts';

/** CREATE SCHEMA; its elements are returned for the caller to replay in it. */
export function createSchema(change: Change, node: CreateSchemaStmt): Outcome {
  const role = node.authrole ? roleName(change, node.authrole) : change.store.session.role;
  const name = node.schemaname ?? (typeof role === 'string' ? role : undefined);
  if (name === undefined || isHole(name)) return undefined;
  if (change.store.findSchema(name).is === 'present') return node.if_not_exists === true ? undefined : refuse('42P06', `schema "${name}" already exists`);
  change.store.put({ kind: 'schema', id: change.store.newId(), name, madeAt: change.statement.span, owner: role, grants: defaultGrants(change, 'schemas', name) });
  return undefined;
}

export function createSequence(change: Change, node: CreateSeqStmt): Outcome {
  const { name, existing } = nameForCreate(change, node.sequence);
  if (!name) return undefined;
  if (existing) return existsAlready(change, node.if_not_exists === true, 'sequence', existing.id, name);
  change.store.put({
    kind: 'sequence', id: change.store.newId(), name, madeAt: change.statement.span, owner: change.store.session.role, options: noOptions,
    grants: defaultGrants(change, 'sequences', name.schema),
  });
  return undefined;
}

/** CREATE TYPE and CREATE DOMAIN. `over`: the base of a domain or range. */
export function createType(
  change: Change, written: { readonly schema?: string; readonly name: string }, form: Type['form'], detail: readonly string[], over?: TypeName, attributes?: readonly Node[],
): Outcome {
  const schema = written.schema ?? change.store.creationSchema();
  if (schema === undefined || isHole(written.name)) return undefined;
  const found = change.store.findType({ schema, name: written.name });
  if (found.is === 'present') return refuse('42710', `type "${written.name}" already exists`);
  const id = change.store.newId();
  change.store.put({ kind: 'type', id, name: { schema, name: written.name }, madeAt: change.statement.span, owner: change.store.session.role, form, detail });
  dependOnTypes(change, id, [over]);
  dependOnAttributes(change, id, attributes);
  return undefined;
}

/** ALTER TYPE … ADD VALUE and RENAME VALUE of an enum: the labels in their order (42710 for one that is there, measured by the agreement). */
export function alterEnum(change: Change, node: AlterEnumStmt): Outcome {
  const found = change.store.findType(writtenFromList(node.typeName));
  if (found.is !== 'present' || found.object.form !== 'enum') return undefined;
  const type = found.object;
  const { newVal = '', oldVal, newValNeighbor } = node;
  if (type.detail.includes(newVal)) {
    return node.skipIfNewValExists === true ? undefined : refuse('42710', `enum label "${newVal}" already exists`);
  }
  const place = type.detail.indexOf(oldVal ?? newValNeighbor ?? '');
  if (place < 0 && (oldVal ?? newValNeighbor) !== undefined) return refuse('22023', `"${oldVal ?? newValNeighbor ?? ''}" is not an existing enum label`);
  const detail = oldVal !== undefined ? type.detail.with(place, newVal)
    : type.detail.toSpliced(newValNeighbor === undefined ? type.detail.length : node.newValIsAfter === true ? place + 1 : place, 0, newVal);
  change.store.put({ ...type, detail });
  return undefined;
}

export function createDomain(change: Change, node: CreateDomainStmt): Outcome {
  return createType(change, writtenFromList(node.domainname), 'domain', node.typeName ? [typeText(node.typeName)] : [], node.typeName);
}

export function createRole(change: Change, node: CreateRoleStmt): Outcome {
  const name = node.role ?? '';
  if (isHole(name)) return undefined;
  if (change.store.findGlobal('role', name).is === 'present') return refuse('42710', `role "${name}" already exists`);
  const memberOf = (node.options ?? []).flatMap(item => ('DefElem' in item && item.DefElem.defname === 'addroleto' && item.DefElem.arg && 'List' in item.DefElem.arg
    ? rolesOf(change, item.DefElem.arg.List.items) : []));
  const superuser = superuserOption(node.options) ?? false;
  change.store.put({ kind: 'role', id: change.store.newId(), name, madeAt: change.statement.span, owner: name, superuser, memberOf });
  for (const item of node.options ?? [])
    if ('DefElem' in item && (item.DefElem.defname === 'rolemembers' || item.DefElem.defname === 'adminmembers') && item.DefElem.arg && 'List' in item.DefElem.arg)
      join(change, rolesOf(change, item.DefElem.arg.List.items), [name], true);
  return undefined;
}

const rolesOf = (change: Change, items: readonly Node[] | undefined): string[] => (items ?? []).flatMap(item => {
  const name = 'AccessPriv' in item ? item.AccessPriv.priv_name : roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined);
  return typeof name === 'string' ? [name] : [];
});

function superuserOption(options: readonly Node[] | undefined): boolean | undefined {
  const found = options?.findLast(item => 'DefElem' in item && item.DefElem.defname === 'superuser');
  const arg = found && 'DefElem' in found ? found.DefElem.arg : undefined;
  return arg && 'Boolean' in arg ? arg.Boolean.boolval === true : undefined;
}

/** Makes members of roles, or takes them out. */
function join(change: Change, members: readonly string[], groups: readonly string[], give: boolean): void {
  for (const member of members) {
    const found = change.store.findGlobal('role', member);
    if (found.is !== 'present' || found.object.kind !== 'role' || !found.object.memberOf) continue;
    const others = found.object.memberOf.filter(group => !groups.includes(group));
    change.store.put({ ...found.object, memberOf: give ? [...others, ...groups] : others });
  }
}

/** GRANT role TO role and REVOKE. */
export function grantRole(change: Change, node: GrantRoleStmt): Outcome {
  join(change, rolesOf(change, node.grantee_roles), rolesOf(change, node.granted_roles), node.is_grant === true);
  return undefined;
}

/** ALTER ROLE … SUPERUSER; ALTER GROUP … ADD USER shares the node. */
export function alterRole(change: Change, node: AlterRoleStmt): Outcome {
  const name = roleName(change, node.role);
  if (typeof name !== 'string') return undefined;
  const superuser = superuserOption(node.options);
  const found = change.store.findGlobal('role', name);
  if (superuser !== undefined && found.is === 'present' && found.object.kind === 'role') change.store.put({ ...found.object, superuser });
  for (const item of node.options ?? [])
    if ('DefElem' in item && item.DefElem.defname === 'rolemembers' && item.DefElem.arg && 'List' in item.DefElem.arg)
      join(change, rolesOf(change, item.DefElem.arg.List.items), [name], node.action !== -1);
  return undefined;
}

/** DROP ROLE: refused 2BP01 while the role owns something or holds a grant that the history shows. */
export function dropRole(change: Change, node: DropRoleStmt): Outcome {
  for (const item of node.roles ?? []) {
    const name = roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined);
    if (typeof name !== 'string') continue;
    const found = change.store.findGlobal('role', name);
    if (found.is === 'absent' && node.missing_ok !== true) return refuse('42704', `role "${name}" does not exist`, [found.because]);
    if (found.is !== 'present') continue;
    const holds = [...change.store.objects()].some(object => object.kind !== 'role' && (object.owner === name || ('grants' in object && object.grants.has(name))));
    if (holds) return refuse('2BP01', `role "${name}" cannot be dropped because some objects depend on it`);
    change.store.remove(found.object, { span: change.statement.span, says: `role ${name} is dropped here` });
  }
  return undefined;
}

/** CREATE EXTENSION: what it brings is not in the history, so the world is open from here on. */
export function createExtension(change: Change, node: CreateExtensionStmt): Outcome {
  const name = node.extname ?? '';
  if (change.store.findGlobal('extension', name).is === 'present') return node.if_not_exists === true ? undefined : refuse('42710', `extension "${name}" already exists`);
  change.store.put({ kind: 'extension', id: change.store.newId(), name, madeAt: change.statement.span, owner: change.store.session.role });
  return undefined;
}

export function createPolicy(change: Change, node: CreatePolicyStmt): Outcome {
  const written = writtenName(node.table);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!relation) return undefined;
  const id = change.store.newId();
  change.store.put({ kind: 'policy', id, name: node.policy_name ?? '', on: relation.id, madeAt: change.statement.span, owner: relation.owner });
  change.store.depend({ dependent: id, on: relation.id, strength: 'auto' });
  for (const tree of [node.qual, node.with_check]) dependOnQueriesIn(change, id, tree);
  return undefined;
}

const commentKinds: Readonly<Record<string, CatalogObject['kind']>> = {
  OBJECT_TABLE: 'table', OBJECT_VIEW: 'view', OBJECT_MATVIEW: 'matview', OBJECT_INDEX: 'index', OBJECT_SEQUENCE: 'sequence',
};

/** The same with a comment, or with none. */
function commented<T extends Column | Relation>(object: T, comment = ''): T {
  if (comment === '') {
    const { comment: _, ...rest } = object;
    return rest as T;
  }
  return object.comment === undefined ? { comment, ...object } : { ...object, comment };
}

/** COMMENT ON a relation or column. COMMENT ON TABLE | VIEW of a matview is refused 42809 (measured, facts A). */
export function comment(change: Change, node: CommentStmt): Outcome {
  const parts: readonly Node[] = node.object && 'List' in node.object ? node.object.List.items ?? [] : [];
  const text = node.comment;
  if (node.objtype === 'OBJECT_COLUMN') {
    const { relation } = find(change, writtenFromList(parts.slice(0, -1)));
    const name = namesOf(parts).at(-1);
    if (!isSelectable(relation) || isUnknown(relation.columns)) return undefined;
    if (!relation.columns.some(column => column.name === name)) return refuse('42703', `column "${name}" of relation "${relation.name.name}" does not exist`, [], relation.id);
    const columns = relation.columns.map(column => (column.name === name ? commented(column, text) : column));
    change.store.put({ ...relation, columns } as typeof relation);
    return undefined;
  }
  const kind = commentKinds[node.objtype ?? ''];
  if (!kind) return undefined;
  const written = writtenFromList(parts);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!relation) return undefined;
  if (relation.kind !== kind) return refuse('42809', `"${relation.name.name}" is not a ${kind === 'matview' ? 'materialized view' : kind}`, [], relation.id);
  change.store.put(commented(relation, text));
  return undefined;
}
