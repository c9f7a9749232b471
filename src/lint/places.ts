import { runs } from '../catalog/order.ts';
import type { History, Migration, ObjectId, Problem, Severity, Span, Statement, Unit } from '../model.ts';
import { gravity } from './severity.ts';

/** A problem on its way to becoming a finding. */
export interface Raised {
  readonly rule: string;
  readonly severity: Severity;
  readonly problem: Problem;
  readonly ordinal: number;
  readonly owner: Owner | undefined;
  /** The statement whose step raised it; absent for the end of a migration, a deploy or the history. */
  readonly statement: Statement | undefined;
  /** Raised by the down part of a migration: the history never ran it, so that it cannot have been repaired, nor be tried in the laboratory. */
  readonly down?: true;
  /** The relation when its migration had ended; absent when it was gone by then, or never known. */
  alive?: ObjectId;
}

/** A statement and the migration it belongs to; `order` is the place of the migration among the runs. */
export interface Owner {
  readonly statement: Statement;
  readonly migration: Migration;
  readonly order: number;
}

export interface Places {
  /** The statement that holds the start of a span; of several migrations that include the file, the preferred one. */
  at(span: Span, preferred?: Migration): Owner | undefined;
  /** The statements that carry ignores. */
  readonly ignoring: readonly Owner[];
}

/** With `downs` the statements of down parts are found as well. */
export function placesOf(history: History, downs = false): Places {
  const order = new Map<Migration, number>();
  for (const run of runs(history)) if (run.judged) order.set(run.migration, order.size);
  const unitsOf = ({ up, down = [] }: Migration): readonly Unit[] => (downs ? [...up, ...down] : up);
  /** The migrations with statements in a file. Few files are ever asked for, and only their statements are put in order. */
  const migrationsOf = new Map<string, Migration[]>();
  const ignoring: Owner[] = [];
  for (const [migration, index] of order)
    for (const unit of unitsOf(migration))
      for (const statement of unit.statements) {
        const { path } = statement.span;
        const there = migrationsOf.get(path);
        if (there === undefined) migrationsOf.set(path, [migration]);
        else if (there.at(-1) !== migration) there.push(migration);
        if (statement.ignores.length > 0) ignoring.push({ statement, migration, order: index });
      }
  const byPath = new Map<string, readonly Owner[]>();
  const ownersIn = (path: string): readonly Owner[] | undefined => {
    const known = byPath.get(path);
    const migrations = migrationsOf.get(path);
    if (known !== undefined || migrations === undefined) return known;
    const owners = migrations.flatMap(migration => unitsOf(migration).flatMap(unit => unit.statements)
      .filter(({ span }) => span.path === path).map((statement): Owner => ({ statement, migration, order: order.get(migration)! })));
    owners.sort((a, b) => a.statement.span.start - b.statement.span.start || a.order - b.order);
    byPath.set(path, owners);
    return owners;
  };
  return {
    ignoring,
    at(span, preferred) {
      const list = ownersIn(span.path);
      if (list === undefined) return undefined;
      let [low, high] = [0, list.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((list[middle]?.statement.span.start ?? Infinity) <= span.start) low = middle + 1;
        else high = middle;
      }
      // Text between two statements (a directive, a gap) belongs to the one before it; above the first one, to the first.
      const found = list[low - 1] ?? list[0];
      if (found === undefined || preferred === undefined || found.migration === preferred) return found;
      for (let index = low - 1; index >= 0 && list[index]?.statement.span.start === found.statement.span.start; index -= 1)
        if (list[index]?.migration === preferred) return list[index];
      return found;
    },
  };
}

export function inOrder(a: Raised, b: Raised): number {
  const [one, two] = [a.problem.span, b.problem.span];
  return (a.owner?.order ?? Infinity) - (b.owner?.order ?? Infinity) || compare(one.path, two.path) || one.start - two.start || one.end - two.end
    || gravity.indexOf(a.severity) - gravity.indexOf(b.severity) || compare(a.rule, b.rule) || compare(a.problem.message, b.problem.message);
}
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
