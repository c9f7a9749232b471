import type { Catalog, Query } from '../model.ts';
import { parse } from '../sql/parse.ts';
import type { Alias, RangeVar } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';

/** Fields of nodes that say where something stands, or how it was spelled. */
const spelling = new Set(['location', 'stmt_location', 'stmt_len', 'list_start', 'list_end', 'inh']);

interface Named { readonly kind: string; readonly node: { relname?: string; schemaname?: string; alias?: Alias } }

/**
 * The tree of a query as text, without the names that it gives to its sources: each has its place for a name. Undefined where a name stands for
 * two of them, so that which one a column belongs to is a matter of scope; the text decides then.
 */
function shapeOf({ statement, start, end, reads }: Query, catalog: Catalog): string | undefined {
  const parsed = parse(statement.sql.slice(start, end));
  if (!parsed.ok) return undefined;
  const sources: Named[] = [];
  const common = new Set<string>();
  walk(parsed.node, (kind, node) => {
    if (kind === 'CommonTableExpr') common.add(String(node['ctename']));
    if (kind === 'RangeVar' || kind === 'RangeSubselect' || kind === 'RangeFunction') sources.push({ kind, node: node as Named['node'] });
  });
  const places = new Map<string, string>();
  for (const [at, { node }] of sources.entries()) {
    const name = node.alias?.aliasname ?? node.relname;
    if (name === undefined) continue;
    if (places.has(name)) return undefined;
    places.set(name, `source ${at}`);
  }
  // A lone source needs no name at all.
  const alone = sources.length === 1;
  const idOf = (range: RangeVar): string => {
    const { schemaname: schema, relname: name = '' } = range;
    if (schema === undefined && common.has(name)) return name;
    return String(reads.find(read => {
      const object = catalog.get(read.id);
      return typeof object?.name === 'object' && object.name.name === name && (schema === undefined || object.name.schema === schema);
    })?.id ?? `${schema ?? ''}.${name}`);
  };
  const shape = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map(item => shape(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    const node = value as Record<string, unknown>;
    if (key === 'ColumnRef') return { fields: (node['fields'] as readonly unknown[]).flatMap(qualified(node['fields'] as readonly unknown[])) };
    const parts = Object.entries(node).filter(([field]) => !spelling.has(field));
    if (key !== 'RangeVar' && key !== 'RangeSubselect' && key !== 'RangeFunction') return Object.fromEntries(parts.map(([field, inner]) => [field, shape(inner, field)]));
    const { aliasname: _, ...columns } = (node['alias'] ?? {}) as Alias;
    const rest = parts.filter(([field]) => !['alias', 'relname', 'schemaname'].includes(field)).map(([field, inner]) => [field, shape(inner, field)] as const);
    return { ...Object.fromEntries(rest), columns: shape(columns, ''), ...(key === 'RangeVar' ? { is: idOf(node as RangeVar) } : {}) };
  };
  const qualified = (fields: readonly unknown[]) => (field: unknown, at: number): readonly unknown[] => {
    const last = at === fields.length - 1;
    if (last || fields.length < 2) return [field];
    // The schema before a table's name says nothing that its place does not.
    if (at < fields.length - 2) return [];
    const place = places.get((field as { String?: { sval?: string } }).String?.sval ?? '');
    return place === undefined ? [field] : alone ? [] : [place];
  };
  return JSON.stringify(shape(parsed.node, ''));
}

/** Whether two queries mean the same over the same relations, whatever they call these: the names are looked up in the catalog as it is. */
export function sameShape(a: Query, b: Query, catalog: Catalog): boolean {
  const shape = shapeOf(a, catalog);
  return shape !== undefined && shape === shapeOf(b, catalog);
}
