import type { Node } from '../sql/tree.ts';

/** The value of a DefElem argument as text: `fillfactor = 70` is '70', a bare name is 'true'. */
export function defElemText(arg: Node | undefined): string {
  if (!arg) return 'true';
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0);
  if ('Float' in arg) return arg.Float.fval ?? '';
  if ('Boolean' in arg) return arg.Boolean.boolval === true ? 'true' : 'false';
  if ('String' in arg) return arg.String.sval ?? '';
  if ('TypeName' in arg) return (arg.TypeName.names ?? []).map(name => ('String' in name ? name.String.sval ?? '' : '')).join('.');
  if ('List' in arg) return (arg.List.items ?? []).map(item => defElemText(item)).join('.');
  return '';
}

/** What most objects have: one map for all of them. */
export const noOptions: ReadonlyMap<string, string> = new Map();

/** `WITH (…)` as a map by lower-case key; a namespace is kept as `toast.autovacuum_enabled`. */
export function optionsOf(list: readonly Node[] | undefined): ReadonlyMap<string, string> {
  if (list === undefined) return noOptions;
  const options = new Map<string, string>();
  for (const item of list)
    if ('DefElem' in item) options.set([item.DefElem.defnamespace, item.DefElem.defname].filter(Boolean).join('.').toLowerCase(), defElemText(item.DefElem.arg));
  return options;
}
