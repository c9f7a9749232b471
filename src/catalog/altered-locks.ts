/** The locks of ALTER TABLE and its siblings, subcommand by subcommand (measured; the server's AlterTableGetLockLevel). */
import type { CatalogObject, LockMode, Relation, Table } from '../model.ts';
import type { AlterTableCmd, AlterTableStmt, Node } from '../sql/tree.ts';
import type { Change } from './change.ts';
import { tollOfColumn } from './drops.ts';
import { isRelation } from './names.ts';
import type { Store } from './store.ts';
import { named, type Take } from './used-relations.ts';

/** Subcommands that readers and writers do not notice. Options of a plain view are not among them. */
const light = new Set([
  'AT_SetStatistics', 'AT_SetOptions', 'AT_ResetOptions', 'AT_ClusterOn', 'AT_DropCluster', 'AT_ValidateConstraint', 'AT_AttachPartition',
]);

/** Subcommands that writers wait for and readers do not. */
const triggers = new Set([
  'AT_EnableTrig', 'AT_EnableAlwaysTrig', 'AT_EnableReplicaTrig', 'AT_EnableTrigAll', 'AT_EnableTrigUser', 'AT_DisableTrig',
  'AT_DisableTrigAll', 'AT_DisableTrigUser',
]);

/** Subcommands that do not reach the tables that inherit; every other one does unless it says ONLY. */
const alone = new Set([
  ...triggers, 'AT_ChangeOwner', 'AT_SetRelOptions', 'AT_ResetRelOptions', 'AT_EnableRowSecurity', 'AT_DisableRowSecurity',
  'AT_ForceRowSecurity', 'AT_NoForceRowSecurity', 'AT_AttachPartition', 'AT_DetachPartition', 'AT_AddInherit', 'AT_DropInherit',
  'AT_ReplicaIdentity', 'AT_ClusterOn', 'AT_DropCluster', 'AT_SetLogged', 'AT_SetUnLogged', 'AT_SetTableSpace', 'AT_SetAccessMethod',
]);

/**
 * What a new key takes on the tables that inherit (measured): AX since 18, where it may make columns NOT NULL. Before, a unique constraint
 * builds its index on every partition and leaves other children alone.
 */
function modeOnChildren(mode: LockMode, command: AlterTableCmd, relation: Relation, postgres: number): LockMode | undefined {
  if (alone.has(command.subtype ?? '')) return undefined;
  const unique = command.def && 'Constraint' in command.def && command.def.Constraint.contype === 'CONSTR_UNIQUE';
  if (!unique || postgres >= 18) return mode;
  return relation.kind === 'table' && relation.partitioned ? 'ShareLock' : undefined;
}

function modeOf({ subtype, def }: AlterTableCmd, relation: Relation): LockMode {
  const kind = subtype ?? '';
  if (light.has(kind)) return 'ShareUpdateExclusiveLock';
  if (triggers.has(kind)) return 'ShareRowExclusiveLock';
  const isOption = kind === 'AT_SetRelOptions' || kind === 'AT_ResetRelOptions';
  if (isOption && relation.kind !== 'view') return 'ShareUpdateExclusiveLock';
  if (def && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true) return 'ShareUpdateExclusiveLock';
  const isForeignKey = kind === 'AT_AddConstraint' && def && 'Constraint' in def && def.Constraint.contype === 'CONSTR_FOREIGN';
  return isForeignKey ? 'ShareRowExclusiveLock' : 'AccessExclusiveLock';
}

/**
 * What goes is locked against everybody, and so is the other end of a foreign key, the parent of a partition, the table of a trigger or
 * policy.
 */
export function takeRemoved(store: Store, goes: Iterable<CatalogObject>, take: Take): void {
  for (const object of goes) {
    if (object.kind === 'trigger' || object.kind === 'policy') take(object.on, 'AccessExclusiveLock');
    if (!isRelation(object)) continue;
    take(object.id, 'AccessExclusiveLock');
    if (object.kind === 'index') take(object.on, 'AccessExclusiveLock');
    if (object.kind !== 'table') continue;
    for (const { references } of object.constraints) if (references !== undefined) take(references, 'AccessExclusiveLock');
    for (const table of store.referencing(object.id)) take(table.id, 'AccessExclusiveLock');
    for (const { on, strength } of store.dependencies(object.id))
      if (strength === 'auto' && object.inherits.includes(on)) take(on, 'AccessExclusiveLock');
  }
}

/** The sequences of a table's columns, or of one: they move with it, change owner with it and go with it. */
export function takeOwnedSequences(store: Store, table: Relation, take: Take, column?: string): void {
  for (const { dependent } of store.dependants(table.id)) {
    const object = store.get(dependent);
    if (object?.kind !== 'sequence' || object.ownedBy?.table !== table.id) continue;
    if (column === undefined || object.ownedBy.column === column) take(object.id, 'AccessExclusiveLock');
  }
}

/** The tables that new foreign keys refer to, of columns or of the table: no row of theirs may be written until the key stands. */
export function takeForeignKeys(store: Store, elements: readonly Node[] | undefined, take: Take): void {
  for (const element of elements ?? []) {
    if ('ColumnDef' in element) takeForeignKeys(store, element.ColumnDef.constraints, take);
    const table = 'Constraint' in element ? named(store, element.Constraint.pktable) : undefined;
    if (table) take(table.id, 'ShareRowExclusiveLock');
  }
}

const modesOnOther: Readonly<Record<string, LockMode>> = {
  AT_AttachPartition: 'AccessExclusiveLock', AT_DetachPartition: 'AccessExclusiveLock',
  AT_AddInherit: 'ShareUpdateExclusiveLock', AT_DropInherit: 'AccessShareLock',
};

/** The other relation of a subcommand: a partition, a parent. */
function takeOther(store: Store, command: AlterTableCmd, take: Take): void {
  const mode = modesOnOther[command.subtype ?? ''];
  if (mode === undefined) return;
  const def: Node | undefined = command.def;
  const range = def && 'PartitionCmd' in def ? def.PartitionCmd.name : def && 'RangeVar' in def ? def.RangeVar : undefined;
  const other = named(store, range);
  if (other) take(other.id, mode);
}

/** What DROP COLUMN and DROP CONSTRAINT take along, and the other end of a foreign key. */
function takeParts(change: Change, store: Store, table: Table, command: AlterTableCmd, take: Take): void {
  const name = command.name ?? '';
  if (command.subtype === 'AT_DropColumn') {
    const toll = tollOfColumn(change, table.id, name);
    takeRemoved(store, [...toll.goes.values()].filter(object => object.id !== table.id && object.kind !== 'sequence'), take);
  }
  for (const constraint of table.constraints) {
    const goes = (command.subtype === 'AT_DropConstraint' && constraint.name === name)
      || (command.subtype === 'AT_DropColumn' && constraint.columns.includes(name));
    if (goes && constraint.references !== undefined) take(constraint.references, 'AccessExclusiveLock');
  }
}

/** ALTER TABLE | INDEX | VIEW | MATERIALIZED VIEW | SEQUENCE: every subcommand is done under the strongest lock that one of them needs. */
export function takeAltered(change: Change, store: Store, node: AlterTableStmt, take: Take): void {
  const relation = named(store, node.relation);
  if (!relation) return;
  for (const item of node.cmds ?? []) {
    if (!('AlterTableCmd' in item)) continue;
    const command = item.AlterTableCmd;
    const mode = modeOf(command, relation);
    take(relation.id, mode);
    const beneath = node.relation?.inh === true ? modeOnChildren(mode, command, relation, change.postgres) : undefined;
    if (beneath !== undefined) for (const child of store.descendants(relation.id)) take(child.id, beneath);
    takeOther(store, command, take);
    const columnGoes = command.subtype === 'AT_DropIdentity' || command.subtype === 'AT_DropColumn';
    if (command.subtype === 'AT_ChangeOwner') takeOwnedSequences(store, relation, take);
    else if (columnGoes) takeOwnedSequences(store, relation, take, command.name ?? '');
    takeForeignKeys(store, command.def && [command.def], take);
    if (relation.kind === 'table') takeParts(change, store, relation, command, take);
  }
}
