import type { ObjectId } from '../../model.ts';
import type { Text } from '../../sql/text.ts';
import type { Node, RangeVar, SelectStmt } from '../../sql/tree.ts';
import { isPlainRole } from '../privileges.ts';
import { fold, type Scope } from './fold.ts';
import { systemRelations, type SystemRelation, type SystemRow } from './system-relations.ts';
import { and, hasHole, nullValue, truthOf, unknownValue, type Value } from './values.ts';

/** What a query over the system catalogs answers, as far as the history tells. */
export interface Answer {
  exists(): boolean | undefined;
  /** The one value of the one row; NULL when there is none. */
  scalar(): Value;
  /** The values of the first column. */
  list(): Value;
  /** The rows that are surely there, those that may be, and whether there are no others; undefined when a part of them is asked for. */
  rows(): { readonly sure: readonly Row[]; readonly perhaps: readonly Row[]; readonly complete: boolean } | undefined;
}

/** A row of an answer, by output name. */
export type Row = ReadonlyMap<string, Value>;

interface Item {
  readonly alias: string;
  readonly relation: SystemRelation;
}

/** More combinations of rows than these are not tried: the answer is unknown then. */
const mostCombinations = 200_000;

/**
 * Answers a SELECT over system catalogs (pg_matviews, pg_class …, inner joins) from the history. Undefined when it reads anything else, or
 * groups, or is no plain SELECT. Absence is claimed in a closed world, and of names that the history itself took away.
 */
export function askCatalog(select: SelectStmt, source: Text, scope: Scope): Answer | undefined {
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return undefined;
  if (select.groupClause !== undefined || select.havingClause !== undefined || select.withClause !== undefined || select.valuesLists !== undefined) return undefined;
  const items: Item[] = [];
  const conditions: Node[] = [];
  for (const item of select.fromClause ?? []) if (!fromItem(item, items, conditions, scope)) return undefined;
  if (items.length === 0) return undefined;
  if (select.whereClause !== undefined) conditions.push(...conjuncts(select.whereClause));
  const found = match(items, conditions, source, scope);
  if (found === undefined) return undefined;
  return answer(select, found, items, source);
}

function fromItem(node: Node, items: Item[], conditions: Node[], scope: Scope): boolean {
  if ('RangeVar' in node) {
    const relation = systemRelation(node.RangeVar, scope);
    if (relation === undefined) return false;
    items.push({ alias: node.RangeVar.alias?.aliasname ?? node.RangeVar.relname ?? '', relation });
    return true;
  }
  if (!('JoinExpr' in node)) return false;
  const { jointype, larg, rarg, quals, usingClause, isNatural } = node.JoinExpr;
  if (jointype !== 'JOIN_INNER' || usingClause !== undefined || isNatural === true || larg === undefined || rarg === undefined) return false;
  if (quals !== undefined) conditions.push(...conjuncts(quals));
  return fromItem(larg, items, conditions, scope) && fromItem(rarg, items, conditions, scope);
}

function systemRelation(range: RangeVar, { catalog }: Scope): SystemRelation | undefined {
  const name = range.relname ?? '';
  const { role } = catalog.session;
  // These list only what the role has a right to; of a superuser, and of who runs the migrations, that is all.
  if (range.schemaname === 'information_schema' && typeof role === 'string' && isPlainRole(role, catalog)) return undefined;
  if (range.schemaname === 'information_schema') return Object.hasOwn(systemRelations, `information_schema.${name}`) ? systemRelations[`information_schema.${name}`] : undefined;
  if (range.schemaname !== undefined && range.schemaname !== 'pg_catalog') return undefined;
  return name.startsWith('pg_') && Object.hasOwn(systemRelations, name) ? systemRelations[name] : undefined;
}

function conjuncts(node: Node): readonly Node[] {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR' ? (node.BoolExpr.args ?? []).flatMap(conjuncts) : [node];
}

interface Match {
  readonly rows: readonly { readonly certain: boolean; readonly scope: Scope }[];
  /** Rows that the history does not show may match too. */
  readonly complete: boolean;
}

/** A scope in which the columns of the items' rows can be named, with and without their alias. */
function rowScope(scope: Scope, items: readonly Item[], rows: readonly SystemRow[]): Scope {
  const variables = new Map(scope.variables);
  const seen = new Set<string>();
  items.forEach((item, at) => {
    const values = rows[at]?.values ?? new Map<string, Value>();
    for (const [column, value] of values) {
      variables.set(`${item.alias}.${column}`, value);
      variables.set(column, seen.has(column) ? unknownValue : value);
      seen.add(column);
    }
  });
  return { ...scope, variables };
}

function match(items: readonly Item[], conditions: readonly Node[], source: Text, scope: Scope): Match | undefined {
  const tables = items.map(item => [...item.relation.rows(scope.catalog)].flatMap(row => {
    // A condition that this row alone decides thins it out before rows are combined.
    const alone = rowScope(scope, [item], [row]);
    return conditions.some(condition => truthOf(fold(condition, source, alone)) === false) ? [] : [row];
  }));
  if (tables.reduce((product, table) => product * Math.max(1, table.length), 1) > mostCombinations) return undefined;
  const rows: { certain: boolean; scope: Scope }[] = [];
  const combine = (chosen: readonly SystemRow[]): void => {
    if (chosen.length < items.length) {
      for (const row of tables[chosen.length] ?? []) combine([...chosen, row]);
      return;
    }
    const inner = rowScope(scope, items, chosen);
    const truth = and(conditions.map(condition => truthOf(fold(condition, source, inner))));
    if (truth === true || truth === 'unknown') rows.push({ certain: truth === true && chosen.every(row => row.certain), scope: inner });
  };
  combine([]);
  return { rows, complete: isComplete(items, conditions, source, scope) };
}

/** The value that a column of an item must have, when a condition says `column = constant`. */
function required(item: Item, column: string | undefined, conditions: readonly Node[], source: Text, scope: Scope): Value | undefined {
  if (column === undefined) return undefined;
  for (const condition of conditions) {
    if (!('A_Expr' in condition) || condition.A_Expr.kind !== 'AEXPR_OP') continue;
    const operator = condition.A_Expr.name?.[0];
    if (!operator || !('String' in operator) || operator.String.sval !== '=') continue;
    const sides = [condition.A_Expr.lexpr, condition.A_Expr.rexpr];
    for (const [at, side] of sides.entries()) {
      const other = sides[1 - at];
      if (side === undefined || other === undefined || !isColumn(side, item.alias, column)) continue;
      const value = fold(other, source, scope);
      if (value.is !== 'unknown') return value;
    }
  }
  return undefined;
}

function isColumn(node: Node, alias: string, column: string): boolean {
  const bare = 'TypeCast' in node && node.TypeCast.arg ? node.TypeCast.arg : node;
  if (!('ColumnRef' in bare)) return false;
  const names = (bare.ColumnRef.fields ?? []).map(field => ('String' in field ? field.String.sval ?? '' : ''));
  return names.at(-1) === column && (names.length === 1 || names.at(-2) === alias);
}

/** Whether rows that the history does not show cannot match. One item whose missing rows are ruled out rules out the combination. */
function isComplete(items: readonly Item[], conditions: readonly Node[], source: Text, scope: Scope): boolean {
  if (items.some(item => mayBeHidden(item, conditions, source, scope))) return false;
  return items.some(item => {
    const { relation } = item;
    if (relation.shared === true) return false;
    if (isOurs(item, conditions, source, scope)) return true;
    const name = required(item, relation.name, conditions, source, scope);
    const schema = schemaName(required(item, relation.schema, conditions, source, scope) ?? namespaceOf(item, items, conditions, source, scope), scope);
    const text = name?.is === 'text' && !hasHole(name.text.text) ? name.text.text : undefined;
    if (text !== undefined && (systemNames.has(text) || relation.builtin?.(text, scope.postgres) === true)) return false;
    if (text !== undefined && (text.startsWith('pg_') || text.startsWith('_pg_') || text.startsWith('sql_'))) return false;
    if (scope.catalog.world === 'closed') return relation.empty === true || text !== undefined || belongsToOurs(item, conditions, source, scope) || (schema !== undefined && !isSystemSchema(schema));
    return text !== undefined && schema !== undefined && relation.schema !== undefined && isRelationName(relation) && scope.catalog.find({ schema, name: text }).is === 'absent';
  });
}

/** Rows of known relations that no history shows. */
function mayBeHidden(item: Item, conditions: readonly Node[], source: Text, scope: Scope): boolean {
  const { hidden, name: column } = item.relation;
  if (hidden === undefined) return false;
  const name = required(item, column, conditions, source, scope);
  return name?.is !== 'text' || hasHole(name.text.text) || hidden(name.text.text);
}

/** `attrelid = 't1'::regclass`: the parts of what the history made are those that it made. */
function isOurs(item: Item, conditions: readonly Node[], source: Text, scope: Scope): boolean {
  return [item.relation.table, item.relation.name].some(column => {
    const value = required(item, column, conditions, source, scope);
    return value?.is === 'object' && scope.catalog.isCertain(value.id);
  });
}

/** `tablename = 't1'`: Postgres's own indexes belong to tables of its own. */
function belongsToOurs(item: Item, conditions: readonly Node[], source: Text, scope: Scope): boolean {
  const table = required(item, item.relation.table, conditions, source, scope);
  return table?.is === 'text' && !hasHole(table.text.text) && !systemNames.has(table.text.text) && !/^_?pg_|^sql_/.test(table.text.text);
}

const isRelationName = (relation: SystemRelation): boolean => relation.name !== 'typname' && relation.name !== 'proname';
const isSystemSchema = (schema: string): boolean => schema.startsWith('pg_') || schema === 'information_schema';

function schemaName(value: Value | undefined, scope: Scope): string | undefined {
  if (value?.is === 'text') return hasHole(value.text.text) ? undefined : value.text.text;
  const object = value?.is === 'object' ? scope.catalog.get(value.id as ObjectId) : undefined;
  return object?.kind === 'schema' ? object.name : undefined;
}

/** `c.relnamespace = n.oid AND n.nspname = 'public'`: the schema that a joined pg_namespace says. */
function namespaceOf(item: Item, items: readonly Item[], conditions: readonly Node[], source: Text, scope: Scope): Value | undefined {
  const joined = items.find(other => other !== item && other.relation === systemRelations.pg_namespace);
  return joined === undefined ? undefined : required(joined, 'nspname', conditions, source, scope);
}

/** Relations of information_schema whose names people use for their own (a new database's, measured in the tests). */
export const systemNames: ReadonlySet<string> = new Set([
  'administrable_role_authorizations', 'applicable_roles', 'attributes', 'character_sets', 'check_constraint_routine_usage', 'check_constraints',
  'collation_character_set_applicability', 'collations', 'column_column_usage', 'column_domain_usage', 'column_options', 'column_privileges',
  'column_udt_usage', 'columns', 'constraint_column_usage', 'constraint_table_usage', 'data_type_privileges', 'domain_constraints',
  'domain_udt_usage', 'domains', 'element_types', 'enabled_roles', 'foreign_data_wrapper_options', 'foreign_data_wrappers',
  'foreign_server_options', 'foreign_servers', 'foreign_table_options', 'foreign_tables', 'information_schema_catalog_name', 'key_column_usage',
  'parameters', 'referential_constraints', 'role_column_grants', 'role_routine_grants', 'role_table_grants', 'role_udt_grants',
  'role_usage_grants', 'routine_column_usage', 'routine_privileges', 'routine_routine_usage', 'routine_sequence_usage', 'routine_table_usage',
  'routines', 'schemata', 'sequences', 'table_constraints', 'table_privileges', 'tables', 'transforms', 'triggered_update_columns', 'triggers',
  'udt_privileges', 'usage_privileges', 'user_defined_types', 'user_mapping_options', 'user_mappings', 'view_column_usage', 'view_routine_usage',
  'view_table_usage', 'views',
]);

function answer(select: SelectStmt, found: Match, items: readonly Item[], source: Text): Answer {
  const targets = select.targetList ?? [];
  const first = targets[0] && 'ResTarget' in targets[0] ? targets[0].ResTarget.val : undefined;
  const counts = first !== undefined && 'FuncCall' in first && first.FuncCall.agg_star === true && targets.length === 1;
  const many = items.some(item => item.relation.many === true);
  const plain = select.limitCount === undefined && select.limitOffset === undefined && select.distinctClause === undefined && !counts && !many;
  const sure = found.rows.filter(row => row.certain);
  const all = found.complete && sure.length === found.rows.length;
  const value = (inner: Scope): Value => (first === undefined ? nullValue : fold(first, source, inner));
  return {
    exists: () => (counts || sure.length > 0 ? true : found.complete && found.rows.length === 0 ? false : undefined),
    scalar: () => {
      if (counts && all && !(many && sure.length > 0)) return { is: 'number', value: sure.length };
      // `upTo` is how numbers between two bounds are written; the lower one is not among them.
      if (counts) return { is: 'number', value: sure.length - 1, upTo: found.complete && !many ? found.rows.length : Infinity };
      if (!all || many) return unknownValue;
      if (hasAggregate(first)) return unknownValue;
      return sure.length === 0 ? nullValue : sure.length === 1 && sure[0] ? value(sure[0].scope) : unknownValue;
    },
    list: () => (all && plain ? { is: 'list', items: sure.map(row => value(row.scope)) } : unknownValue),
    rows: () => (!plain || hasAggregate(first) ? undefined : {
      complete: found.complete,
      sure: sure.map(row => targetValues(targets, items, row.scope, source)),
      perhaps: found.rows.filter(row => !row.certain).map(row => targetValues(targets, items, row.scope, source)),
    }),
  };
}

const hasAggregate = (node: Node | undefined): boolean => node !== undefined && 'FuncCall' in node;

/** A row of the answer by output name. */
function targetValues(targets: readonly Node[], items: readonly Item[], scope: Scope, source: Text): ReadonlyMap<string, Value> {
  const row = new Map<string, Value>();
  for (const target of targets) {
    if (!('ResTarget' in target) || target.ResTarget.val === undefined) continue;
    const { val, name } = target.ResTarget;
    if ('ColumnRef' in val && (val.ColumnRef.fields ?? []).some(field => 'A_Star' in field)) {
      for (const item of items)
        for (const [key, value] of scope.variables) if (key.startsWith(`${item.alias}.`)) row.set(key.slice(item.alias.length + 1), value);
      continue;
    }
    const last = 'ColumnRef' in val ? val.ColumnRef.fields?.at(-1) : undefined;
    const column = name ?? (last && 'String' in last ? last.String.sval ?? '' : '?column?');
    row.set(column, fold(val, source, scope));
  }
  return row;
}
