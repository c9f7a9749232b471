import type { Types } from '../sql-type.ts';
import type { Use } from '../uses.ts';

/** A type as people write it. */
function typeName(key: string, types: Types): string {
  if (key.startsWith('row ')) return key.slice(4);
  if (key.endsWith('[]')) return `${typeName(key.slice(0, -2), types)}[]`;
  return types.named(key).printed;
}

/** What a use is, in words that go on with `is not immutable`. */
export function useText(use: Use, types: Types): string {
  const named = (key: string): string => typeName(key, types);
  switch (use.kind) {
    case 'io': return `the conversion of ${use.from === undefined ? 'a value' : named(use.from)} to ${named(use.target)}`;
    case 'array': case 'relabel': case 'domain': return `the conversion to ${named(use.target)}`;
    case 'unresolved': return /^\w/.test(use.target) ? `${use.target}()` : `the operator ${use.target}`;
    case 'operator': case 'row comparison': return `the operator of ${use.name}(${use.arguments.map(named).join(', ')})`;
    default: return `${use.name}(${use.arguments.map(named).join(', ')})`;
  }
}
