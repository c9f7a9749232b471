/** What stands in a pg_node_tree (pg_rewrite.ev_action): the functions it calls by OID and the conversions it makes. */
export interface Stored {
  readonly kind: 'function' | 'aggregate' | 'window' | 'operator' | 'io' | 'array' | 'relabel' | 'domain';
  /** OID of a function, or of the type of a conversion. */
  readonly oid: number;
}

/** Node → the field that holds the OID, and what it is. The names are those of outfuncs.c. */
const nodes: Readonly<Record<string, { readonly field: string; readonly kind: Stored['kind'] }>> = {
  FUNCEXPR: { field: ':funcid', kind: 'function' }, AGGREF: { field: ':aggfnoid', kind: 'aggregate' }, WINDOWFUNC: { field: ':winfnoid',
    kind: 'window' },
  OPEXPR: { field: ':opfuncid', kind: 'operator' }, SCALARARRAYOPEXPR: { field: ':opfuncid', kind: 'operator' },
  DISTINCTEXPR: { field: ':opfuncid', kind: 'operator' }, NULLIFEXPR: { field: ':opfuncid', kind: 'operator' },
  COERCEVIAIO: { field: ':resulttype', kind: 'io' }, ARRAYCOERCEEXPR: { field: ':resulttype', kind: 'array' },
  RELABELTYPE: { field: ':resulttype', kind: 'relabel' }, COERCETODOMAIN: { field: ':resulttype', kind: 'domain' },
};

/** Reads a tree in one pass: a field belongs to the node whose brace is open. Words may hold escaped characters (`\ `). */
export function storedIn(tree: string): readonly Stored[] {
  const found: Stored[] = [];
  const open: string[] = [];
  const tokens = tree.match(/[{}()]|(?:\\.|[^\s{}()\\])+/gs) ?? [];
  for (const [at, token] of tokens.entries()) {
    if (token === '{') open.push(tokens[at + 1] ?? '');
    else if (token === '}') open.pop();
    else if (token.startsWith(':')) {
      const node = nodes[open.at(-1) ?? ''];
      if (node?.field === token) found.push({ kind: node.kind, oid: Number(tokens[at + 1]) });
    }
  }
  return found;
}
