import { runs } from '../catalog/order.ts';
import type { ReplayedMigration } from '../catalog/replay.ts';
import type { Catalog, History, Migration, Step } from '../model.ts';

/** Groups judged runs into deploys: all pending ones together, the others by their number; second runs of repeatables apart from first runs. */
export function deploysOf(history: History, pending: ((migration: Migration) => boolean) | undefined) {
  const key = (migration: Migration, pass: 1 | 2): string => `${pass}:${pending?.(migration) === true ? 'pending' : migration.deploy}`;
  const left = new Map<string, number>();
  for (const run of runs(history)) if (run.judged) left.set(key(run.migration, run.pass), (left.get(key(run.migration, run.pass)) ?? 0) + 1);
  const open = new Map<string, { readonly start: Catalog; readonly steps: Step[] }>();
  return {
    enter(run: ReplayedMigration): { readonly start: Catalog; readonly steps: readonly Step[]; readonly over: boolean } {
      const id = key(run.migration, run.pass);
      const begun = open.get(id);
      const remaining = (left.get(id) ?? 1) - 1;
      // Most go out alone.
      if (begun === undefined && remaining <= 0) return { start: run.start, steps: run.steps, over: true };
      const deploy = begun ?? { start: run.start, steps: [] };
      deploy.steps.push(...run.steps);
      left.set(id, remaining);
      if (remaining > 0) open.set(id, deploy);
      else open.delete(id);
      return { start: deploy.start, steps: deploy.steps, over: remaining <= 0 };
    },
  };
}
