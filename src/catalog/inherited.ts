/** What a change of a table's columns does to the tables that inherit from it, partitions too (measured, agreement.test.ts). */
import type { Column, Table } from '../model.ts';
import { isUnknown, type Change } from './change.ts';

/** A column of a parent as a child gets it: rights and comments stay with the parent. */
export function inherited({ grants: _, comment: __, ...column }: Column): Column {
  return column;
}

function change(store: Change['store'], table: Table, columnsOf: (columns: readonly Column[]) => Table['columns']): void {
  for (const child of store.descendants(table.id)) if (!isUnknown(child.columns)) store.put({ ...child, columns: columnsOf(child.columns) });
}

/** A column that all of them have changes in all of them. */
export function changeInherited({ store }: Change, table: Table, name: string, fields: Partial<Column>): void {
  change(store, table, columns => columns.map(column => (column.name === name ? { ...column, ...fields } : column)));
}

/** New columns; one that a child has already becomes the inherited one. */
export function addInherited({ store }: Change, table: Table, added: readonly Column[]): void {
  change(store, table, columns => [...columns, ...added.filter(({ name }) => !columns.some(column => column.name === name)).map(inherited)]);
}

/** A child keeps a dropped column that it has of its own, too; which it has is not kept, so its columns are unknown from here on. */
export function dropInherited({ store }: Change, table: Table, name: string): void {
  change(store, table, columns => (columns.some(column => column.name === name) ? { unknown: `whether ${name} is dropped with the parent's` } : columns));
}
