/**
 * Steps through the parts of a node of the raw tree in the order of its fields, without recursion. `visit` gets every object; it answers
 * false to leave its parts out. Arrays are stepped through silently.
 */
export function eachPart(root: unknown, visit: (node: object) => boolean | void): void {
  const todo: unknown[] = [root];
  for (let item = todo.pop(); item !== undefined || todo.length > 0; item = todo.pop()) {
    if (typeof item !== 'object' || item === null) continue;
    if (!Array.isArray(item) && visit(item) === false) continue;
    const parts = Array.isArray(item) ? item : Object.values(item);
    for (let at = parts.length - 1; at >= 0; at -= 1) {
      const part: unknown = parts[at];
      if (typeof part === 'object' && part !== null) todo.push(part);
    }
  }
}

/** The kind of a `{ Kind: … }` node; undefined for inner objects. */
export function kindOf(node: object): string | undefined {
  let found: string | undefined;
  for (const key in node) {
    if (found !== undefined) return undefined;
    const first = key.charCodeAt(0);
    if (first < 65 || first > 90) return undefined;
    found = key;
  }
  return found;
}
