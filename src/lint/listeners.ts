import type { Catalog, Context, Effect, Problem, Rule, Severity, Step } from '../model.ts';
import { severityOf, type LintOptions } from './severity.ts';

/** A rule that an effect reaches. */
export interface Listener {
  readonly rule: string;
  readonly severity: Severity;
  readonly hear: (effect: Effect, context: Context) => Iterable<Problem>;
  readonly deploysWith: Rule['deploysWith'];
}

const none: readonly Listener[] = [];

/** The active rules that an effect concerns, in the order of the rules. `after`: the catalog that it leaves. */
export function listenersOf(rules: readonly Rule[], options: LintOptions): (effect: Effect, after: Catalog) => readonly Listener[] {
  const byKind = new Map<string, Listener[]>();
  for (const rule of rules) {
    const severity = severityOf(rule.meta, options);
    if (severity === 'off' || rule.meta.raisedBy !== undefined) continue;
    for (const [kind, handler] of Object.entries(rule.check)) {
      // The key of `check` decides the type of the effect; the compiler cannot follow that through the entries.
      const hear = handler.bind(rule.check) as Listener['hear'];
      const listener = { rule: rule.meta.id, severity, hear, deploysWith: rule.deploysWith };
      if (byKind.get(kind)?.push(listener) === undefined) byKind.set(kind, [listener]);
    }
  }
  const atEnd = byKind.get('endOfDeploy') ?? none;
  /** A bit for each kind that a rule waits for. Many deploys do the same kinds of things. */
  const bits = new Map([...new Set(atEnd.flatMap(({ deploysWith }) => deploysWith ?? []))].map((kind, at) => [kind, 1 << at]));
  const byBits = new Map<number, readonly Listener[]>();
  const ofDeploy = (steps: readonly Step[], start: Catalog, end: Catalog): readonly Listener[] => {
    let happened = start.sites === end.sites ? 0 : bits.get('sites') ?? 0;
    for (const { effects } of steps) for (const { kind } of effects) happened |= bits.get(kind) ?? 0;
    let known = byBits.get(happened);
    if (known === undefined)
      byBits.set(happened, (known = atEnd.filter(({ deploysWith }) => deploysWith?.some(kind => (bits.get(kind)! & happened) !== 0) !== false)));
    return known;
  };
  return (effect, after) => (effect.kind === 'endOfDeploy' ? ofDeploy(effect.steps, effect.start, after) : byKind.get(effect.kind) ?? none);
}
