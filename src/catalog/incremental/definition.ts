/** The query that an engine is given as text, and what Postgres makes of it. */
import type { Known, Maintenance, Refusal, Statement, Table } from '../../model.ts';
import { lowerQuery, type Lowered } from '../../query/lower.ts';
import { parse } from '../../sql/parse.ts';
import { split } from '../../sql/split.ts';
import { sliceText, textStatement, type Text } from '../../sql/text.ts';
import type { Node, SelectStmt } from '../../sql/tree.ts';
import { defaultGrants, refuse, type Change } from '../change.ts';
import { printed } from '../code/values.ts';
import type { EngineCall } from './calls.ts';

/** A query that was read. */
export interface Definition {
  readonly statement: Statement;
  readonly select: SelectStmt;
  readonly node: Node;
}

/**
 * Reads the one SELECT of a text; its places lead into the literal. The refusals are those of create_immv (facts §1.2 stage 0; SQLSTATEs
 * measured by `immv.test.ts`).
 */
export function readDefinition(change: Change, text: Text): Definition | Refusal {
  const pieces = split(text.text).filter(piece => piece.kind === 'statement');
  const [piece] = pieces;
  const inner = piece === undefined ? text : sliceText(text, piece.start, piece.end);
  const statement = textStatement(inner, change.statement.span);
  if (piece === undefined) return refuse('XX000', 'invalid view definition', [{ span: statement.span,
    says: 'the text holds no statement' }]);
  const parsed = parse(statement.sql);
  if (!parsed.ok) return refuse('42601', parsed.message, [{ span: statement.span, says: 'the text is not read as SQL' }]);
  if (pieces.length > 1) return refuse('XX000', 'invalid view definition', [{ span: statement.span,
    says: `the text holds ${pieces.length} statements` }]);
  if (!('SelectStmt' in parsed.node))
    return refuse('22023', 'view definition must specify SELECT statement', [{ span: statement.span, says: 'the text is no SELECT' }]);
  return { statement, select: parsed.node.SelectStmt, node: parsed.node };
}

/** Reads what the query means in the catalog of the moment. */
export function lowered(change: Change, definition: Definition, names: readonly string[]): Lowered {
  return lowerQuery(definition.statement, definition.node, change.store, names, true);
}

/** What the call gave, by the name of the parameter. */
export function optionsOfCall(call: EngineCall): ReadonlyMap<string, Known<string>> {
  const options = new Map<string, Known<string>>();
  for (const [name, value] of call.values) {
    if (name === 'query' || name === 'view_definition') continue;
    const text = value.is === 'null' ? '' : value.is === 'boolean' ? String(value.value) : printed(value)?.text;
    options.set(name, text ?? { unknown: `the value of ${name}` });
  }
  return options;
}

/** An ordinary table that an engine fills. */
export function maintainedTable(change: Change, name: Table['name'], columns: Table['columns'],
  maintenance: Maintenance | undefined): Table {
  return {
    kind: 'table', id: change.store.newId(), name, madeAt: change.statement.span, owner: change.store.session.role, columns,
      options: new Map(),
    grants: defaultGrants(change, 'tables', name.schema), persistence: 'permanent', constraints: [], inherits: [], partitioned: false,
      rowSecurity: false,
    ...(maintenance === undefined ? {} : { maintenance }),
  };
}
