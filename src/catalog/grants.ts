import type { CatalogObject, Column, Grants, Relation } from '../model.ts';
import type { AccessPriv, AlterDefaultPrivilegesStmt, GrantStmt, Node } from '../sql/tree.ts';
import { columnsOf, find, isSelectable, isUnknown, refuseMissing, sameRole, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { hole } from './code/values.ts';
import { roleName } from './owners.ts';
import { isRelation } from './names.ts';
import type { DefaultPrivilege } from './store.ts';
import { namesOf } from './tables.ts';

/** What a database gives: TEMP is another word for TEMPORARY. */
function databaseGrant(change: Change, node: GrantStmt): Outcome {
  const privileges = (node.privileges ?? []).map(item => ('AccessPriv' in item ? item.AccessPriv.priv_name ?? '' : '').toUpperCase());
  const grantees = (node.grantees ?? []).map(item => roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined)).filter(role => typeof role === 'string');
  if (privileges.length > 0 && !privileges.some(name => name === 'TEMP' || name === 'TEMPORARY')) return undefined;
  const rest = change.store.temporaryFor.filter(name => !grantees.includes(name));
  change.store.temporaryFor = node.is_grant === true ? [...rest, ...grantees] : rest;
  change.effects.push({ kind: node.is_grant === true ? 'grant' : 'revoke', objects: [], privileges: ['TEMPORARY'], grantees, via: change.via });
  return undefined;
}

/** What ALL PRIVILEGES means for a relation; MAINTAIN came with 17 (measured, facts F). */
function allPrivileges(objects: DefaultPrivilege['objects'], postgres: number): readonly string[] {
  if (objects === 'sequences') return ['SELECT', 'UPDATE', 'USAGE'];
  if (objects === 'schemas') return ['USAGE', 'CREATE'];
  if (objects === 'functions') return ['EXECUTE'];
  if (objects === 'types') return ['USAGE'];
  return ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', ...(postgres >= 17 ? ['MAINTAIN'] : [])];
}

interface Wanted {
  readonly privileges: readonly string[];
  /** Column privileges: privilege → columns. */
  readonly columns: readonly { readonly privilege: string; readonly columns: readonly string[] }[];
}

function wantedOf(change: Change, privileges: readonly Node[] | undefined, objects: DefaultPrivilege['objects']): Wanted {
  if (privileges === undefined || privileges.length === 0) return { privileges: allPrivileges(objects, change.postgres), columns: [] };
  const whole: string[] = [];
  const columns: { readonly privilege: string; readonly columns: readonly string[] }[] = [];
  for (const item of privileges) {
    const { priv_name: name, cols }: AccessPriv = 'AccessPriv' in item ? item.AccessPriv : {};
    if (cols?.length) columns.push({ privilege: (name ?? 'ALL').toUpperCase(), columns: namesOf(cols) });
    else if (name === undefined) whole.push(...allPrivileges(objects, change.postgres));
    else whole.push(name.toUpperCase());
  }
  return { privileges: whole, columns };
}

/** Grants with the privileges given to, or taken from, the grantees; empty grantees vanish. */
function changed(grants: Grants, grantees: readonly string[], privileges: readonly string[], give: boolean): Grants {
  const result = new Map(grants);
  for (const grantee of grantees) {
    const held = new Set(result.get(grantee));
    for (const privilege of privileges) if (give) held.add(privilege); else held.delete(privilege);
    if (held.size > 0) result.set(grantee, held);
    else result.delete(grantee);
  }
  return result;
}

function changedColumns(columns: readonly Column[], grantees: readonly string[], wanted: Wanted, give: boolean): readonly Column[] {
  if (give && wanted.columns.length === 0) return columns;
  return columns.map(column => {
    const privileges = wanted.columns.filter(item => item.columns.includes(column.name)).map(item => item.privilege);
    const all = give ? privileges : [...privileges, ...wanted.privileges];
    return all.length === 0 || (!give && !column.grants) ? column : { ...column, grants: changed(column.grants ?? new Map(), grantees, all, give) };
  });
}

function targets(change: Change, node: GrantStmt): { readonly objects: readonly CatalogObject[]; readonly refusal?: Outcome; readonly kind: DefaultPrivilege['objects'] } {
  const kind = node.objtype === 'OBJECT_SEQUENCE' ? 'sequences' : node.objtype === 'OBJECT_SCHEMA' ? 'schemas'
    : node.objtype === 'OBJECT_FUNCTION' || node.objtype === 'OBJECT_PROCEDURE' || node.objtype === 'OBJECT_ROUTINE' ? 'functions'
      : node.objtype === 'OBJECT_TABLE' ? 'tables' : 'types';
  const objects: CatalogObject[] = [];
  if (node.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
    const schemas = new Set(namesOf(node.objects));
    for (const object of change.store.relations())
      if (schemas.has(object.name.schema) && (kind === 'tables' ? isSelectable(object) : kind === 'sequences' && object.kind === 'sequence')) objects.push(object);
    return { objects: objects.sort((a, b) => a.id - b.id), kind };
  }
  for (const item of node.objects ?? []) {
    if ('RangeVar' in item) {
      const written = writtenName(item.RangeVar);
      const { relation, absent } = find(change, written);
      if (absent) return { objects, kind, refusal: refuseMissing(written, absent) };
      if (relation) objects.push(relation);
    } else if (kind === 'schemas') {
      const found = change.store.findSchema('String' in item ? item.String.sval ?? '' : '');
      if (found.is === 'present') objects.push(found.object);
    } else if ('ObjectWithArgs' in item) objects.push(...change.store.findRoutines(writtenFromList(item.ObjectWithArgs.objname)).slice(0, 1));
  }
  return { objects, kind };
}

/** GRANT and REVOKE on relations (whole and by column), schemas and sequences. Grants on routines and types hold no view; they are effects only. */
export function grant(change: Change, node: GrantStmt): Outcome {
  if (node.objtype === 'OBJECT_DATABASE') return databaseGrant(change, node);
  // What is given, or to whom, only the data tells; `Step.blind` says that something was.
  if (change.statement.sql.includes(hole)) return undefined;
  const { objects, refusal, kind } = targets(change, node);
  if (refusal) return refusal;
  const give = node.is_grant === true;
  const grantees = (node.grantees ?? []).map(item => roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined)).filter(role => typeof role === 'string');
  const wanted = wantedOf(change, node.privileges, kind);
  for (const object of objects) {
    const now = change.store.get(object.id);
    if (!now || now.kind === 'index' || !(isRelation(now) || now.kind === 'schema')) continue;
    const grants = changed(now.grants, grantees, wanted.privileges, give);
    if (isSelectable(now) && !isUnknown(now.columns)) change.store.put({ ...now, grants, columns: changedColumns(columnsOf(now), grantees, wanted, give) } as Relation);
    else change.store.put({ ...now, grants });
  }
  const privileges = [...wanted.privileges, ...wanted.columns.map(item => `${item.privilege} (${item.columns.join(', ')})`)];
  change.effects.push({ kind: give ? 'grant' : 'revoke', objects, privileges, grantees, via: change.via });
  return undefined;
}

/** ALTER DEFAULT PRIVILEGES [FOR ROLE …] [IN SCHEMA …] GRANT | REVOKE … ON TABLES | SEQUENCES | SCHEMAS. */
export function alterDefaultPrivileges(change: Change, node: AlterDefaultPrivilegesStmt): Outcome {
  const action = node.action;
  const objects = action?.objtype === 'OBJECT_TABLE' ? 'tables' : action?.objtype === 'OBJECT_SEQUENCE' ? 'sequences' : action?.objtype === 'OBJECT_SCHEMA' ? 'schemas' : undefined;
  if (!action || !objects) return undefined;
  const option = (name: string): readonly Node[] => (node.options ?? []).flatMap(item =>
    'DefElem' in item && item.DefElem.defname === name && item.DefElem.arg && 'List' in item.DefElem.arg ? item.DefElem.arg.List.items ?? [] : []);
  const roles = option('roles').map(item => roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined));
  const schemas = namesOf(option('schemas'));
  const grantees = (action.grantees ?? []).map(item => roleName(change, 'RoleSpec' in item ? item.RoleSpec : undefined)).filter(role => typeof role === 'string');
  const { privileges } = wantedOf(change, action.privileges, objects);
  for (const role of roles.length > 0 ? roles : [change.store.session.role])
    for (const schema of schemas.length > 0 ? schemas : [undefined])
      for (const grantee of grantees) {
        if (action.is_grant === true)
          change.store.defaultPrivileges = [...change.store.defaultPrivileges, { role, objects, grantee, privileges, ...(schema === undefined ? {} : { schema }) }];
        else
          change.store.defaultPrivileges = change.store.defaultPrivileges
            .map(entry => (sameRole(entry.role, role) && entry.schema === schema && entry.objects === objects && entry.grantee === grantee
              ? { ...entry, privileges: entry.privileges.filter(privilege => !privileges.includes(privilege)) } : entry));
      }
  return undefined;
}
