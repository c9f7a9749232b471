import type { Code } from '../../sql/plpgsql.ts';

/** The variables that code assigns, in any of its branches. */
export function assignedIn(code: readonly Code[]): readonly string[] {
  return code.flatMap((item): readonly string[] => {
    switch (item.kind) {
      case 'sql': case 'execute': return item.into?.names ?? [];
      case 'assign': return [item.name];
      case 'if': return [...item.arms.flatMap(arm => assignedIn(arm.body)), ...assignedIn(item.otherwise)];
      case 'loop': return [...item.target.names, ...assignedIn(item.body)];
      case 'block': return [...assignedIn(item.body), ...item.handlers.flatMap(handler => assignedIn(handler.body))];
      default: return [];
    }
  });
}
