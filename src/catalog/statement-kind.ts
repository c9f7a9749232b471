import type { Effect, WrittenName } from '../model.ts';
import type { Node } from '../sql/tree.ts';
import { writtenName } from './change.ts';

/** What a statement is about, in the words of the `refuse` effect. */
export type StatementKind = Extract<Effect, { kind: 'refuse' }>['statement'];

/** What a refused statement was about, for rules that speak of refreshes, drops and reads apart. */
export function statementKind(kind: string): StatementKind {
  if (kind === 'RefreshMatViewStmt') return 'refresh';
  if (kind === 'DropStmt' || kind === 'DropRoleStmt') return 'drop';
  if (kind === 'SelectStmt') return 'read';
  if (kind === 'CreateTableAsStmt' || kind === 'ViewStmt' || kind === 'IndexStmt' || kind.startsWith('Create')) return 'create';
  if (kind === 'RenameStmt' || kind.startsWith('Alter')) return 'alter';
  return 'other';
}

/** What a statement is about, and the name that CREATE … AS gives to what it fills, for the `refuse` effect. */
export function saidOf(node: Node): { readonly statement: StatementKind; readonly fills?: WrittenName } {
  const range = 'CreateTableAsStmt' in node ? node.CreateTableAsStmt.into?.rel : undefined;
  return { statement: statementKind(Object.keys(node)[0] ?? ''), ...(range ? { fills: writtenName(range) } : {}) };
}
