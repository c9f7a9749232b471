import type { History, Migration, Rule } from '../model.ts';
import type { Places, Raised } from './places.ts';
import { severityOf, type LintOptions } from './severity.ts';

/**
 * What the reader found wrong with the files themselves, as problems of its rules. A file that belongs to no migration brings its own
 * ignores, because no statement of the history carries them; `suppressed` counts what those silence.
 */
export function loadedProblems(history: History, places: Places, rules: readonly Rule[],
  options: LintOptions): { readonly raised: readonly Raised[]; readonly suppressed: number } {
  const metas = new Map(rules.map(({ meta }) => [meta.id, meta]));
  const raised: Raised[] = [];
  let suppressed = 0;
  for (const { rule, ignores = [], ...problem } of history.problems ?? []) {
    const meta = metas.get(rule);
    const severity = meta === undefined ? 'off' : severityOf(meta, options);
    if (severity === 'off') continue;
    if (ignores.some(ignore => ignore.of === undefined && ignore.reason !== '' && ignore.rules.includes(rule))) suppressed += 1;
    else raised.push({ rule, severity, problem, ordinal: 0, owner: places.at(problem.span), statement: undefined });
  }
  return { raised, suppressed };
}

/** A file that belongs to no migration, as one without statements: what asks which migrations are reported can be asked about it too. */
export const standIn = (path: string): Migration =>
  ({ id: path, path, kind: 'versioned', deploy: -1, shipped: { unknown: 'it is no migration' }, up: [] });
