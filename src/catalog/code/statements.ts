import { parse } from '../../sql/parse.ts';
import type { SelectStmt } from '../../sql/tree.ts';

/** Whether a statement's answer are rows: a query, SHOW, EXPLAIN, and what says RETURNING. */
export function returnsRows(sql: string): boolean {
  const parsed = parse(sql);
  if (!parsed.ok) return false;
  const [kind = '', body] = Object.entries(parsed.node)[0] ?? [];
  if (kind === 'SelectStmt') return (body as SelectStmt).intoClause === undefined;
  return kind === 'VariableShowStmt' || kind === 'ExplainStmt' || (body as { returningClause?: unknown; returningList?: unknown }).returningClause !== undefined
    || (body as { returningList?: unknown }).returningList !== undefined;
}

/** The text of an EXECUTE that begins as one that gives, makes and sets nothing. */
export const reading = /^\s*(?:format\s*\(\s*)?'\s*(?:select|with|insert|update|delete|explain)\b/i;

/** Statements that give, make and set nothing, whatever the data makes of them. */
export const harmless = new Set(['RefreshMatViewStmt', 'SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'ExplainStmt', 'VacuumStmt', 'LockStmt']);

/** Statements that fail only for what the catalog knows; any other may fail by its data as well. */
export const sureKinds = new Set(['CreateStmt', 'ViewStmt', 'DropStmt', 'RenameStmt', 'GrantStmt', 'CommentStmt', 'VariableSetStmt', 'CreateFunctionStmt', 'CreateSchemaStmt']);
