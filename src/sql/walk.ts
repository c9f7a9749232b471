// What is still to be visited: one stack in two lists, since a tree has too many nodes for an object each, and one for all walks, since lists that
// grow take room for many. The kind is that of a bare node in its field, if it has one. A walk inside of another goes on above it.
const values: unknown[] = [];
const bare: (string | undefined)[] = [];
let top = 0;

function push(value: object, kind: string | undefined): void {
  values[top] = value;
  bare[top] = kind;
  top += 1;
}

/**
 * Visits every node of a syntax tree, depth first, in the order of its fields. A node is `{ Kind: { … } }`, or bare where the
 * grammar allows one kind only (`SelectStmt.larg`). `visit` gets the kind, the inner object, and the node as it stands there. Returning false
 * leaves the node's children out. Iterative: no depth overflows the stack. Never throws but what `visit` throws.
 */
export function walk(node: unknown, visit: (kind: string, node: Record<string, unknown>, whole: object) => boolean | void): void {
  if (!isObject(node)) return;
  const base = top;
  try {
    push(node, undefined);
    while (top > base) {
      top -= 1;
      const value = values[top] as object;
      const asBare = bare[top];
      values[top] = undefined;
      if (Array.isArray(value)) {
        for (let i = value.length - 1; i >= 0; i -= 1) if (isObject(value[i])) push(value[i] as object, undefined);
        continue;
      }
      const record = value as Record<string, unknown>;
      const wrapped = wrappedKind(record);
      const kind = wrapped ?? asBare;
      const inner = wrapped === undefined ? record : (record[wrapped] as Record<string, unknown>);
      if (kind !== undefined && visit(kind, inner, record) === false) continue;
      const special = kind !== undefined && ownersWithFields.has(kind);
      const first = top;
      for (const key in inner) {
        const child = inner[key];
        if (isObject(child)) push(child, (special ? bareKinds[`${kind}.${key}`] : undefined) ?? bareKinds[key]);
      }
      // The last one pushed comes out first.
      reverseFrom(values, first);
      reverseFrom(bare, first);
    }
  } finally {
    top = base;
  }
}

function reverseFrom(list: unknown[], first: number): void {
  for (let low = first, high = top - 1; low < high; low += 1, high -= 1) {
    const held = list[low];
    list[low] = list[high];
    list[high] = held;
  }
}

/** As `walk`, and `visit` also gets the path from the root: kinds, field names and list positions. It is one array that changes as the walk goes on; copy it to keep it. */
export function walkWithPath(
  node: unknown,
  visit: (kind: string, node: Record<string, unknown>, path: readonly string[]) => boolean | void,
): void {
  if (!isObject(node)) return;
  const path: string[] = [];
  // One stack in four lists: a tree has too many nodes for an object each.
  const [values, fields, owners, depths]: [object[], string[], string[], number[]] = [[node], [''], [''], [0]];
  while (values.length > 0) {
    const value = values.pop()!;
    const key = fields.pop()!;
    const owner = owners.pop()!;
    const depth = depths.pop()!;
    while (path.length > depth) path.pop();
    let level = depth;
    if (key !== '') {
      path.push(key);
      level += 1;
    }
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i -= 1) {
        const item: unknown = value[i];
        if (!isObject(item)) continue;
        values.push(item);
        fields.push(String(i));
        owners.push('');
        depths.push(level);
      }
      continue;
    }
    const record = value as Record<string, unknown>;
    const wrapped = wrappedKind(record);
    const kind = wrapped ?? (ownersWithFields.has(owner) ? bareKinds[`${owner}.${key}`] : undefined) ?? bareKinds[key];
    const inner = wrapped === undefined ? record : (record[wrapped] as Record<string, unknown>);
    if (wrapped !== undefined) {
      path.push(wrapped);
      level += 1;
    }
    if (kind !== undefined && visit(kind, inner, path) === false) continue;
    const keys = Object.keys(inner);
    for (let i = keys.length - 1; i >= 0; i -= 1) {
      const child = inner[keys[i]!];
      if (!isObject(child)) continue;
      values.push(child);
      fields.push(keys[i]!);
      owners.push(kind ?? '');
      depths.push(level);
    }
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** `{ Kind: { … } }` and nothing else: field names begin with a small letter, kinds with a capital. */
function wrappedKind(record: Record<string, unknown>): string | undefined {
  let found: string | undefined;
  for (const key in record) {
    if (found !== undefined) return undefined;
    const first = key.charCodeAt(0);
    if (first < 65 || first > 90 || !isObject(record[key])) return undefined;
    found = key;
  }
  return found;
}

/** Fields whose value is a bare node, from the declarations of @pgsql/types (checked in the tests); parse trees only, no plans. */
export const bareKinds: Readonly<Record<string, string>> = {
  ival: 'Integer', fval: 'Float', boolval: 'Boolean', sval: 'String', bsval: 'BitString', alias: 'Alias', rel: 'RangeVar',
  join_using_alias: 'Alias', typeName: 'TypeName', over: 'WindowDef', identitySequence: 'RangeVar', collClause: 'CollateClause',
  relation: 'RangeVar', bound: 'PartitionBoundSpec', infer: 'InferClause', search_clause: 'CTESearchClause',
  cycle_clause: 'CTECycleClause', onConflictClause: 'OnConflictClause', returningClause: 'ReturningClause', withClause: 'WithClause',
  intoClause: 'IntoClause', larg: 'SelectStmt', rarg: 'SelectStmt', authrole: 'RoleSpec', newowner: 'RoleSpec', grantor: 'RoleSpec',
  action: 'GrantStmt', partbound: 'PartitionBoundSpec', partspec: 'PartitionSpec', ofTypename: 'TypeName', pktable: 'RangeVar',
  owner: 'RoleSpec', base: 'CreateStmt', user: 'RoleSpec', table: 'RangeVar', constrrel: 'RangeVar', role: 'RoleSpec',
  setstmt: 'VariableSetStmt', sequence: 'RangeVar', datatype: 'TypeName', storedtype: 'TypeName', returnType: 'TypeName',
  argType: 'TypeName', func: 'ObjectWithArgs', funccall: 'FuncCall', extname: 'String', opername: 'ObjectWithArgs', typevar: 'RangeVar',
  view: 'RangeVar', into: 'IntoClause', sourcetype: 'TypeName', targettype: 'TypeName', type_name: 'TypeName', fromsql: 'ObjectWithArgs',
  tosql: 'ObjectWithArgs', newrole: 'RoleSpec', pubtable: 'PublicationTable', format: 'JsonFormat', returning: 'JsonReturning',
  on_empty: 'JsonBehavior', on_error: 'JsonBehavior', context_item: 'JsonValueExpr', output: 'JsonOutput', pathspec: 'JsonTablePathSpec',
  'PartitionCmd.name': 'RangeVar', 'CreateOpClassItem.name': 'ObjectWithArgs', 'JsonArgument.val': 'JsonValueExpr',
  'PLAssignStmt.val': 'SelectStmt', 'JsonKeyValue.value': 'JsonValueExpr', 'JsonParseExpr.expr': 'JsonValueExpr',
  'JsonScalarExpr.output': 'JsonOutput', 'JsonSerializeExpr.expr': 'JsonValueExpr', 'JsonObjectAgg.arg': 'JsonKeyValue',
  'JsonArrayAgg.arg': 'JsonValueExpr', 'JsonObjectAgg.constructor': 'JsonAggConstructor', 'JsonArrayAgg.constructor': 'JsonAggConstructor',
};

/** The kinds that give a field of theirs another meaning than it has elsewhere. */
const ownersWithFields: ReadonlySet<string> = new Set(Object.keys(bareKinds).filter(name => name.includes('.')).map(name => name.slice(0, name.indexOf('.'))));
