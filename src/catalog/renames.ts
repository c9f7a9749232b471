import type { Name, Relation, Selectable, WrittenName } from '../model.ts';
import type { AlterObjectSchemaStmt, RenameStmt } from '../sql/tree.ts';
import { columnsOf, find, hasColumn, isSelectable, isUnknown, kindWord, printName, refuse, refuseMissing, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { renameKey } from './indexes.ts';
import { isHole, isRelation } from './names.ts';

/** ALTER VIEW on a matview is refused; ALTER TABLE reaches every relation; ALTER INDEX only indexes (measured, facts A). */
function wrongKind(relationType: string | undefined, relation: Relation): Outcome {
  const kinds: Readonly<Record<string, Relation['kind']>> = { OBJECT_VIEW: 'view', OBJECT_MATVIEW: 'matview', OBJECT_SEQUENCE: 'sequence' };
  const kind = kinds[relationType ?? ''];
  if (kind === undefined || relation.kind === kind) return undefined;
  return refuse('42809', `"${relation.name.name}" is not a ${kind === 'matview' ? 'materialized view' : kind}`, [], relation.id);
}

/** Gives a relation another name or schema; identity, dependants, indexes and grants stay (measured, facts D). */
function rename(change: Change, from: Relation, to: Name, renaming: boolean): Outcome {
  const taken = change.store.find(to);
  // A new name that is the old one is refused as well; SET SCHEMA to the schema it is in does nothing (measured by the agreement).
  const same = from.name.schema === to.schema && from.name.name === to.name;
  if (taken.is === 'present' && (taken.object.id !== from.id || (same && renaming))) {
    const made = taken.object.madeAt ? { span: taken.object.madeAt, says: `${printName(taken.object)} has the name` } : undefined;
    return refuse('42P07', to.schema === from.name.schema ? `relation "${to.name}" already exists` : `relation "${to.name}" already exists in schema "${to.schema}"`, [made], from.id);
  }
  const renamed: Relation = { ...from, name: to };
  change.store.put(renamed);
  if (from.name.schema !== to.schema || from.name.name !== to.name)
    change.store.markGone(from, { span: change.statement.span, says: `${kindWord(from)} ${printName(from)} becomes ${printName(renamed)}` });
  change.effects.push({ kind: 'renameRelation', from, to: renamed, via: change.via });
  return undefined;
}

/** What the history does not show gets another name: the old one is free, and of the new one nothing is known. */
function renameStranger(change: Change, written: WrittenName, to: WrittenName): undefined {
  const schema = change.store.schemaOf(written);
  if (schema === undefined || isHole(schema) || isHole(written.name)) return;
  const target = { schema: to.schema ?? schema, name: to.name };
  if (change.store.find(target).is === 'absent') change.store.cloud(target);
  const from = { schema, name: written.name };
  const doubted = change.store.doubted(from).filter(isRelation);
  if (doubted.length > 0) {
    if (change.store.find(target).is !== 'present') for (const object of doubted) change.store.moveDoubted(object, target);
  } else if (!(target.schema === from.schema && target.name === from.name))
    change.store.vanish(from, { span: change.statement.span, says: `${written.name} becomes ${to.schema === undefined ? to.name : `${to.schema}.${to.name}`}` });
}

function renameColumn(change: Change, node: RenameStmt, relation: Relation): Outcome {
  const old = node.subname ?? '';
  const name = node.newname ?? '';
  if (!isSelectable(relation)) return undefined;
  if (hasColumn(relation, old) === false) return refuse('42703', `column "${old}" does not exist`, [], relation.id);
  if (hasColumn(relation, name) === true) return refuse('42701', `column "${name}" of relation "${relation.name.name}" already exists`, [], relation.id);
  renameIn(change, relation, old, name);
  // Tables that inherit the column call it the same (measured, agreement.test.ts).
  if (relation.kind === 'table') for (const child of change.store.descendants(relation.id)) if (hasColumn(child, old) === true) renameIn(change, child, old, name);
  return undefined;
}

function renameIn(change: Change, relation: Selectable, old: string, name: string): void {
  if (isUnknown(relation.columns)) return;
  const columns = columnsOf(relation).map(column => (column.name === old ? { ...column, name } : column));
  const constraints = relation.kind === 'table'
    ? { constraints: relation.constraints.map(constraint => ({ ...constraint, columns: constraint.columns.map(column => (column === old ? name : column)) })) } : {};
  const to = { ...relation, columns, ...constraints } as Relation;
  for (const index of change.store.indexesOf(relation.id)) change.store.put(renameKey(index, old, name));
  change.store.put(to);
  change.store.renameDependedColumn(relation.id, old, name);
  change.effects.push({ kind: 'changeRelation', from: relation, to, what: `RENAME COLUMN ${old} TO ${name}`, via: change.via });
}

/** ALTER … RENAME of relations, columns, constraints, schemas, types, routines, roles. */
export function renameStatement(change: Change, node: RenameStmt): Outcome {
  const to = node.newname ?? '';
  if (node.relation) {
    const written = writtenName(node.relation);
    const { relation, absent } = find(change, written);
    if (absent) return node.missing_ok === true ? undefined : refuseMissing(written, absent);
    if (!relation) return node.subname === undefined ? renameStranger(change, written, { name: to }) : undefined;
    const wrong = wrongKind(node.renameType === 'OBJECT_COLUMN' || node.renameType === 'OBJECT_ATTRIBUTE' ? node.relationType : node.renameType, relation);
    if (wrong) return wrong;
    if (node.renameType === 'OBJECT_COLUMN') return renameColumn(change, node, relation);
    if (node.renameType === 'OBJECT_TABCONSTRAINT') return renameConstraint(change, relation, node.subname ?? '', to);
    if (node.renameType === 'OBJECT_TRIGGER' || node.renameType === 'OBJECT_POLICY') return undefined;
    return rename(change, relation, { schema: relation.name.schema, name: to }, true);
  }
  if (node.renameType === 'OBJECT_SCHEMA') return renameSchema(change, node.subname ?? '', to);
  if (node.renameType === 'OBJECT_ROLE') {
    const found = change.store.findGlobal('role', node.subname ?? '');
    if (found.is === 'present' && found.object.kind === 'role') change.store.put({ ...found.object, name: to });
    return undefined;
  }
  if (node.renameType === 'OBJECT_FUNCTION' || node.renameType === 'OBJECT_PROCEDURE' || node.renameType === 'OBJECT_ROUTINE') {
    const routines = change.store.findRoutines(node.object && 'ObjectWithArgs' in node.object ? writtenFromList(node.object.ObjectWithArgs.objname) : { name: '' });
    if (routines.length === 1) change.store.put({ ...routines[0]!, name: { ...routines[0]!.name, name: to } });
    return undefined;
  }
  if (node.renameType === 'OBJECT_TYPE' || node.renameType === 'OBJECT_DOMAIN') {
    const found = change.store.findType(writtenFromList(node.object && 'List' in node.object ? node.object.List.items : []));
    if (found.is === 'present') change.store.put({ ...found.object, name: { ...found.object.name, name: to } });
  }
  return undefined;
}

function renameConstraint(change: Change, relation: Relation, old: string, name: string): Outcome {
  if (relation.kind !== 'table') return undefined;
  const constraint = relation.constraints.find(item => item.name === old);
  if (!constraint) return undefined;
  change.store.put({ ...relation, constraints: relation.constraints.map(item => (item === constraint ? { ...item, name } : item)) });
  const index = constraint.index === undefined ? undefined : change.store.get(constraint.index);
  if (index?.kind === 'index') change.store.put({ ...index, name: { ...index.name, name }, constraint: name });
  return undefined;
}

function renameSchema(change: Change, old: string, name: string): Outcome {
  const found = change.store.findSchema(old);
  if (found.is !== 'present') return undefined;
  change.store.put({ ...found.object, name });
  change.store.markGone(found.object, { span: change.statement.span, says: `schema ${old} becomes ${name}` });
  for (const object of [...change.store.objects()])
    if ((isRelation(object) || object.kind === 'type' || object.kind === 'routine') && object.name.schema === old) {
      const to = { ...object, name: { ...object.name, schema: name } };
      change.store.put(to);
      if (!isRelation(object) || !isRelation(to)) continue;
      change.store.markGone(object, { span: change.statement.span, says: `schema ${old} becomes ${name}` });
      change.effects.push({ kind: 'renameRelation', from: object, to, via: change.via });
    }
  return undefined;
}

/** ALTER … SET SCHEMA: indexes and owned sequences move along (measured, facts D). */
export function setSchema(change: Change, node: AlterObjectSchemaStmt): Outcome {
  const schema = node.newschema ?? '';
  if (!node.relation) {
    if (node.object && 'ObjectWithArgs' in node.object) {
      const routines = change.store.findRoutines(writtenFromList(node.object.ObjectWithArgs.objname));
      if (routines.length === 1) change.store.put({ ...routines[0]!, name: { ...routines[0]!.name, schema } });
    }
    return undefined;
  }
  const written = writtenName(node.relation);
  const { relation, absent } = find(change, written);
  if (absent) return node.missing_ok === true ? undefined : refuseMissing(written, absent);
  if (!relation) return renameStranger(change, written, { schema, name: written.name });
  const wrong = wrongKind(node.objectType, relation);
  if (wrong) return wrong;
  const target = change.store.findSchema(schema);
  if (target.is === 'absent') return refuse('3F000', `schema "${schema}" does not exist`, [target.because]);
  if (target.is === 'unknown') change.store.world = 'open';
  const refused = rename(change, relation, { schema, name: relation.name.name }, false);
  if (refused) return refused;
  for (const link of change.store.dependants(relation.id)) {
    const object = change.store.get(link.dependent);
    if ((object?.kind === 'index' && object.on === relation.id) || (object?.kind === 'sequence' && object.ownedBy?.table === relation.id))
      change.store.put({ ...object, name: { schema, name: object.name.name } });
  }
  return undefined;
}
