import type { Ignore, Rule, Severity } from '../model.ts';
import type { Owner, Places, Raised } from './places.ts';
import { severityOf, type LintOptions } from './severity.ts';

/** Finding of a rule that is raised here, when the list of rules does not hold its page. */
const engineSeverity: Readonly<Record<string, Severity>> = { 'no-unexplained-ignore': 'error', 'no-unused-ignore': 'warning' };

interface Entry {
  readonly ignore: Ignore;
  readonly owner: Owner;
  /** The rules it has silenced. */
  readonly used: Set<string>;
}

export function suppressionOf(places: Places, rules: readonly Rule[], options: LintOptions) {
  const known = new Map(rules.map(rule => [rule.meta.id, rule.meta]));
  const severity = (id: string): Severity | 'off' => {
    const meta = known.get(id);
    return meta === undefined ? (engineSeverity[id] ?? 'off') : severityOf(meta, options);
  };
  const all = new Map<string, Entry>();
  const ofFile = new Map<string, Entry[]>();
  /** Those inside of bodies, by file: they cover a statement there, whoever calls it. */
  const inBodies = new Map<string, Entry[]>();
  const key = (ignore: Ignore): string => `${ignore.span.path}\0${ignore.span.start}`;
  for (const owner of places.ignoring)
    for (const ignore of owner.statement.ignores) {
      if (all.has(key(ignore))) continue;
      const entry = { ignore, owner, used: new Set<string>() };
      all.set(key(ignore), entry);
      if (ignore.of !== undefined && inBodies.get(ignore.of.path)?.push(entry) === undefined) inBodies.set(ignore.of.path, [entry]);
      if (ignore.scope === 'file') ofFile.set(ignore.span.path, [...(ofFile.get(ignore.span.path) ?? []), entry]);
    }
  const silenced: (Owner | undefined)[] = [];
  const silences = (one: Raised): boolean => {
    const holder = one.owner?.statement;
    const holds = holder !== undefined && one.problem.span.start < holder.span.end;
    const candidates = [
      ...(ofFile.get(one.problem.span.path) ?? []),
      ...(inBodies.get(one.problem.span.path) ?? []).filter(({ ignore: { of } }) => of && of.start <= one.problem.span.start && one.problem.span.start < of.end),
      ...[...(holds ? holder.ignores : []), ...(one.statement !== holder ? (one.statement?.ignores ?? []) : [])]
        .filter(ignore => ignore.scope === 'statement' && ignore.of === undefined).flatMap(ignore => all.get(key(ignore)) ?? []),
    ].filter(({ ignore }) => ignore.reason !== '' && ignore.rules.includes(one.rule));
    for (const { used } of candidates) used.add(one.rule);
    if (candidates.length > 0) silenced.push(one.owner);
    return candidates.length > 0;
  };
  const own = (rule: string, entry: Entry, message: string): Raised[] => {
    const grave = severity(rule);
    return grave === 'off' ? [] : [{ rule, severity: grave, problem: { span: entry.ignore.span, message }, ordinal: 0, owner: entry.owner, statement: undefined }];
  };
  const idle = (entry: Entry, id: string): Raised[] => {
    if (!known.has(id) && engineSeverity[id] === undefined) return own('no-unused-ignore', entry, `No rule is named ${id}.`);
    // What only a database shows is not seen here, so nobody can say that the ignore is idle.
    if (entry.ignore.reason === '' || entry.used.has(id) || severity(id) === 'off' || known.get(id)?.raisedBy === 'live') return [];
    const where = entry.ignore.scope === 'file' ? 'in this file' : 'here';
    return own('no-unused-ignore', entry, `This ignore suppresses nothing: ${id} has no finding ${where}.`);
  };
  return {
    /** True when an ignore with a reason names the rule, on the statement that holds the finding (in a body: the one there), the one that raised it, or the file. */
    silences,
    /** Findings about the ignores themselves. They may be ignored in turn, which is why ignores of `no-unused-ignore` come last. */
    unused(): Raised[] {
      const entries = [...all.values()];
      const found = entries.flatMap(entry => [
        ...(entry.ignore.rules.length === 0 ? own('no-unused-ignore', entry, 'This ignore names no rule, so it suppresses nothing.') : []),
        ...(entry.ignore.reason === '' ? own('no-unexplained-ignore', entry, 'This ignore gives no reason, so it suppresses nothing.') : []),
        ...entry.ignore.rules.filter(id => engineSeverity[id] === undefined).flatMap(id => idle(entry, id)),
      ]).filter(one => !silences(one));
      return [...found, ...entries.flatMap(entry => entry.ignore.rules.filter(id => engineSeverity[id] !== undefined).flatMap(id => idle(entry, id)))];
    },
    count: (counted: (owner: Owner | undefined) => boolean): number => silenced.filter(counted).length,
  };
}
