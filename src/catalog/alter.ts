import type { Column, Relation, Table } from '../model.ts';
import type { AlterTableCmd, AlterTableStmt, ClusterStmt, ColumnDef } from '../sql/tree.ts';
import { typeWritten } from '../sql/type-name.ts';
import {
  columnsOf, find, hasColumn, isSelectable, isUnknown, kindWord, printName, refuse, refuseMissing, writtenName, type Change, type Outcome,
} from './change.ts';
import { notable, refuseDependants, removeAll, removeColumns, tollOf, tollOfColumn, uses } from './drops.ts';
import { addInherited, changeInherited, dropInherited } from './inherited.ts';
import { changeOwner } from './owners.ts';
import { optionsOf } from './options.ts';
import { addConstraint, makeSequence, readColumn, typeOf } from './tables.ts';
import { dependOnColumnTypes } from './type-users.ts';

/** The passes in which Postgres carries its subcommands out, whatever their order (AT_PASS_* in tablecmds.c; measured, dependencies.test.ts). */
const passes: Readonly<Record<string, number>> = { AT_DropColumn: 0, AT_DropConstraint: 0, AT_DropNotNull: 0, AT_AlterColumnType: 1, AT_AddColumn: 2 };

const passOf = ({ subtype }: AlterTableCmd): number => passes[subtype ?? ''] ?? 3;

function inPasses(node: AlterTableStmt): AlterTableCmd[] {
  const commands: AlterTableCmd[] = [];
  for (const item of node.cmds ?? []) if ('AlterTableCmd' in item) commands.push(item.AlterTableCmd);
  return commands.sort((a, b) => passOf(a) - passOf(b));
}

/** 42703 for the first column whose type is to change and that was not there before the statement: asked ahead of all passes. */
function unprepared(relation: Relation, commands: readonly AlterTableCmd[]): Outcome {
  if (relation.kind !== 'table') return undefined;
  const missing = commands.find(({ subtype, name }) => subtype === 'AT_AlterColumnType' && hasColumn(relation, name ?? '') === false);
  return missing && refuse('42703', `column "${missing.name}" of relation "${relation.name.name}" does not exist`, [], relation.id);
}

/** ALTER TABLE / INDEX / VIEW / MATERIALIZED VIEW / SEQUENCE with its list of commands, applied in Postgres's passes. */
export function alterRelation(change: Change, node: AlterTableStmt): Outcome {
  const written = writtenName(node.relation);
  const { relation, absent } = find(change, written);
  if (absent) return node.missing_ok === true ? undefined : refuseMissing(written, absent);
  if (!relation) return undefined;
  const wrong = wrongKind(node.objtype, relation);
  if (wrong) return wrong;
  const commands = inPasses(node);
  const early = unprepared(relation, commands);
  if (early) return early;
  for (const command of commands) {
    const now = change.store.get(relation.id);
    if (!now) continue;
    const refused = alter(change, now as Relation, command);
    if (refused) return refused;
  }
  return undefined;
}

function wrongKind(objtype: string | undefined, relation: Relation): Outcome {
  const kinds: Readonly<Record<string, Relation['kind']>> = { OBJECT_VIEW: 'view', OBJECT_MATVIEW: 'matview', OBJECT_INDEX: 'index', OBJECT_SEQUENCE: 'sequence' };
  const kind = kinds[objtype ?? ''];
  if (kind === undefined || kind === relation.kind) return undefined;
  return refuse('42809', `"${relation.name.name}" is not a ${kind === 'matview' ? 'materialized view' : kind}`, [], relation.id);
}

/** Subcommands that an mv refuses with 42809 (measured, facts A: operations that always fail). */
const notOnMatviews = new Set([
  'AT_AddColumn', 'AT_DropColumn', 'AT_SetNotNull', 'AT_DropNotNull', 'AT_ColumnDefault', 'AT_AlterColumnType', 'AT_AddConstraint', 'AT_AddInherit', 'AT_DropInherit',
  'AT_EnableRowSecurity', 'AT_DisableRowSecurity', 'AT_ForceRowSecurity', 'AT_SetUnLogged', 'AT_SetLogged',
]);

function alter(change: Change, relation: Relation, command: AlterTableCmd): Outcome {
  const kind = command.subtype ?? '';
  const settle = (to: Relation): undefined => {
    change.store.put(to);
    change.effects.push({ kind: 'changeRelation', from: relation, to, what: describe(kind, command), via: change.via });
    return undefined;
  };
  if (relation.kind === 'matview' && notOnMatviews.has(kind))
    return refuse('42809', `ALTER action ${describe(kind, command)} cannot be performed on relation "${relation.name.name}"`, [], relation.id);
  switch (kind) {
    case 'AT_ChangeOwner': return changeOwner(change, relation, command.newowner);
    case 'AT_SetRelOptions': return settle({ ...relation, options: new Map([...relation.options, ...optionsOf(defList(command))]) });
    case 'AT_ResetRelOptions': {
      const reset = optionsOf(defList(command));
      return settle({ ...relation, options: new Map([...relation.options].filter(([key]) => !reset.has(key))) });
    }
    case 'AT_SetTableSpace': return settle({ ...relation, tablespace: command.name ?? '' });
    case 'AT_ClusterOn': return clusterOn(change, relation, command.name, settle);
    case 'AT_DropCluster': return relation.kind === 'matview' ? settle(withoutCluster(relation)) : undefined;
    case 'AT_SetStatistics': {
      if (relation.kind !== 'matview') return undefined;
      const target = command.def && 'Integer' in command.def ? command.def.Integer.ival ?? 0 : 0;
      return settle({ ...relation, statistics: new Map([...relation.statistics, [command.name ?? '', target]]) });
    }
    default: return relation.kind === 'table' ? alterTable(change, relation, command, settle) : undefined;
  }
}

function defList(command: AlterTableCmd): readonly import('../sql/tree.ts').Node[] {
  return command.def && 'List' in command.def ? command.def.List.items ?? [] : [];
}

function withoutCluster<T extends { clusteredOn?: number }>(relation: T): Omit<T, 'clusteredOn'> {
  const { clusteredOn: _, ...rest } = relation;
  return rest;
}

type Settle = (to: Relation) => undefined;

function clusterOn(change: Change, relation: Relation, name: string | undefined, settle: Settle): Outcome {
  const index = change.store.indexesOf(relation.id).find(item => item.name.name === name);
  return relation.kind === 'matview' && index ? settle({ ...relation, clusteredOn: index.id }) : undefined;
}

/** CLUSTER … USING leaves the same mark as ALTER … CLUSTER ON (measured by the oracle of the rules); without USING it keeps the one there is. */
export function cluster(change: Change, node: ClusterStmt): Outcome {
  if (!node.relation) return undefined;
  const written = writtenName(node.relation);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (relation === undefined || node.indexname === undefined) return undefined;
  if (relation.kind !== 'table' && relation.kind !== 'matview') return refuse('42809', `"${written.name}" is not a table or materialized view`, [], relation.id);
  const found = change.store.find({ schema: relation.name.schema, name: node.indexname });
  if (found.is === 'absent') return refuse('42704', `index "${node.indexname}" for table "${written.name}" does not exist`, [found.because], relation.id);
  if (found.is !== 'present') return undefined;
  const index = found.object;
  if (index.kind !== 'index') return refuse('42809', `"${node.indexname}" is not an index`, [], relation.id);
  if (index.on !== relation.id) return refuse('42809', `"${node.indexname}" is not an index for table "${written.name}"`, [], relation.id);
  if (index.predicate !== undefined) return refuse('0A000', `cannot cluster on partial index "${node.indexname}"`, [], relation.id);
  if (relation.kind === 'matview') change.store.put({ ...relation, clusteredOn: index.id });
  return undefined;
}

function alterTable(change: Change, table: Table, command: AlterTableCmd, settle: Settle): Outcome {
  const column = command.name ?? '';
  const edit = (fields: Partial<Column>): undefined =>
    isUnknown(table.columns) ? undefined : settle({ ...table, columns: table.columns.map(item => (item.name === column ? { ...item, ...fields } : item)) });
  switch (command.subtype) {
    case 'AT_AddColumn': return addColumn(change, table, command, settle);
    case 'AT_DropColumn': return dropColumn(change, table, command);
    case 'AT_AlterColumnType': return changeType(change, table, command, edit);
    case 'AT_SetNotNull':
      changeInherited(change, table, column, { notNull: true });
      return edit({ notNull: true });
    case 'AT_DropNotNull':
      // Versions differ, and a child may have its own: not followed.
      changeInherited(change, table, column, { notNull: { unknown: 'what DROP NOT NULL of a parent leaves' } });
      return edit({ notNull: false });
    case 'AT_AddIdentity': {
      makeSequence(change, table, column);
      return undefined;
    }
    case 'AT_AddConstraint': {
      const refused = command.def && 'Constraint' in command.def ? addConstraint(change, table.id, command.def.Constraint) : undefined;
      const made = change.store.get(table.id);
      return refused ?? (made?.kind === 'table' ? settle(made) : undefined);
    }
    case 'AT_DropConstraint': return dropConstraint(change, table, command);
    case 'AT_EnableRowSecurity': return settle({ ...table, rowSecurity: true });
    case 'AT_DisableRowSecurity': return settle({ ...table, rowSecurity: false });
    case 'AT_SetUnLogged': return settle({ ...table, persistence: 'unlogged' });
    case 'AT_SetLogged': return settle({ ...table, persistence: 'permanent' });
    case 'AT_AttachPartition': case 'AT_AddInherit': return inherit(change, table, command, settle);
    default: return undefined;
  }
}

function addColumn(change: Change, table: Table, command: AlterTableCmd, settle: Settle): Outcome {
  const definition: ColumnDef = command.def && 'ColumnDef' in command.def ? command.def.ColumnDef : {};
  if (hasColumn(table, definition.colname ?? '') === true)
    return command.missing_ok === true ? undefined : refuse('42701', `column "${definition.colname}" of relation "${table.name.name}" already exists`, [], table.id);
  const draft = { columns: [], constraints: [], serials: [] } as Parameters<typeof readColumn>[2];
  readColumn(change, definition, draft);
  if (!isUnknown(table.columns)) settle({ ...table, columns: table.columns.concat(draft.columns) });
  addInherited(change, table, draft.columns);
  dependOnColumnTypes(change.store, table.id, draft.columns);
  for (const serial of draft.serials) makeSequence(change, table, serial.column);
  for (const constraint of draft.constraints) {
    const refused = addConstraint(change, table.id, constraint);
    if (refused) return refused;
  }
  return undefined;
}

function dropColumn(change: Change, table: Table, command: AlterTableCmd): Outcome {
  const column = command.name ?? '';
  const exists = hasColumn(table, column);
  if (exists === false)
    return command.missing_ok === true ? undefined : refuse('42703', `column "${column}" of relation "${table.name.name}" does not exist`, [], table.id);
  const toll = tollOfColumn(change, table.id, column);
  const cascade = command.behavior === 'DROP_CASCADE';
  const blocked = toll.blocked.filter(({ object }) => object.kind !== 'sequence' && change.store.isCertain(object.id));
  if (!cascade && blocked.length > 0)
    return { ...refuseDependants(change, `column ${column} of table ${printName(table)}`, { blocked }, table.id), column };
  const takes = notable(toll, new Set());
  change.effects.push({ kind: 'dropPart', of: table, what: `column ${column}`, cascade, takes, via: change.via });
  removeAll(change, toll.goes);
  removeColumns(change, toll.columns);
  dropInherited(change, table, column);
  return undefined;
}

/** 0A000 for every view or matview that uses the column, however small the change (measured, facts E). */
function changeType(change: Change, table: Table, command: AlterTableCmd, edit: (fields: Partial<Column>) => undefined): Outcome {
  const column = command.name ?? '';
  if (hasColumn(table, column) === false) return refuse('42703', `column "${column}" of relation "${table.name.name}" does not exist`, [], table.id);
  const users = change.store.dependants(table.id).filter(uses(column)).map(link => change.store.get(link.dependent))
    .filter(object => (object?.kind === 'view' || object?.kind === 'matview') && change.store.isCertain(object.id));
  if (users.length > 0) {
    const evidence = users.flatMap(object => (object?.madeAt ? [{ span: object.madeAt, says: `${kindWord(object)} ${printName(object)} uses the column` }] : []));
    return { ...refuse('0A000', 'cannot alter type of a column used by a view or rule', evidence, table.id), column };
  }
  // The same column beneath an IMMV is refused with an internal error (measured, facts ivm §1.6).
  const immv = change.store.dependants(table.id).filter(uses(column)).map(link => change.store.get(link.dependent))
    .find((object): object is Table => object?.kind === 'table' && object.maintenance?.engine === 'pg_ivm' && change.store.isCertain(object.id));
  if (immv) {
    const evidence = immv.madeAt ? [{ span: immv.madeAt, says: `IMMV ${printName(immv)} uses the column` }] : [];
    return { ...refuse('XX000', `unexpected object depending on column: table ${printName(immv)}`, evidence, table.id), column };
  }
  const type = command.def && 'ColumnDef' in command.def ? command.def.ColumnDef.typeName : undefined;
  const fields = { type: type && typeWritten(type).name ? typeOf(change, type) : { unknown: `the type of ${column}` } };
  edit(fields);
  changeInherited(change, table, column, fields);
  const now = change.store.get(table.id);
  change.store.clearDependencies(table.id, column);
  if (now?.kind === 'table') dependOnColumnTypes(change.store, table.id, columnsOf(now).filter(item => item.name === column));
  return undefined;
}

function dropConstraint(change: Change, table: Table, command: AlterTableCmd): Outcome {
  const constraint = table.constraints.find(item => item.name === command.name);
  if (!constraint) return undefined;
  const holders = constraint.kind === 'primary key' || constraint.kind === 'unique'
    ? change.store.referencing(table.id) : [];
  // Which of several unique constraints a foreign key rests on is not recorded here; only a sole one is surely needed.
  const sole = table.constraints.filter(item => item.kind === 'primary key' || item.kind === 'unique').length === 1;
  if (sole && holders.length > 0 && command.behavior !== 'DROP_CASCADE')
    return refuseDependants(change, `constraint ${constraint.name} on table ${printName(table)}`, { blocked: holders.map(object => ({ object, on: table.id })) }, table.id);
  const index = constraint.index === undefined ? undefined : change.store.get(constraint.index);
  const toll = tollOf(change, index ? [index] : []);
  const cascade = command.behavior === 'DROP_CASCADE';
  const what = `constraint ${constraint.name}`;
  // A view whose GROUP BY relies on the key depends on it (measured, dependencies.test.ts).
  const blocked = toll.blocked.filter(({ object }) => change.store.isCertain(object.id));
  if (!cascade && blocked.length > 0) return refuseDependants(change, `${what} on table ${printName(table)}`, { blocked }, table.id);
  const takes = notable(toll, new Set(index ? [index.id] : [])).filter(object => change.store.isCertain(object.id));
  change.effects.push({ kind: 'dropPart', of: table, what, cascade, takes, via: change.via });
  removeAll(change, cascade || !index ? toll.goes : new Map([[index.id, index]]));
  const now = change.store.get(table.id);
  if (now?.kind === 'table') change.store.put({ ...now, constraints: now.constraints.filter(item => item.name !== constraint.name) });
  return undefined;
}

function inherit(change: Change, table: Table, command: AlterTableCmd, settle: Settle): Outcome {
  const attach = command.subtype === 'AT_AttachPartition';
  const other = command.def && 'PartitionCmd' in command.def ? command.def.PartitionCmd.name : command.def && 'RangeVar' in command.def ? command.def.RangeVar : undefined;
  const { relation } = find(change, writtenName(other));
  if (!relation || !isSelectable(relation)) return undefined;
  const [child, parent] = attach ? [relation, table] : [table, relation];
  if (child.kind !== 'table') return undefined;
  change.store.depend({ dependent: child.id, on: parent.id, strength: attach ? 'auto' : 'normal' });
  const to = { ...child, inherits: [...child.inherits, parent.id] };
  if (child.id === table.id) return settle(to);
  change.store.put(to);
  return undefined;
}

/** The subcommand in the words of the statement, for messages: `AT_AddColumn` is ADD COLUMN. */
function describe(kind: string, command: AlterTableCmd): string {
  const words = kind.slice('AT_'.length).replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
  return command.name === undefined ? words : `${words} ${command.name}`;
}

