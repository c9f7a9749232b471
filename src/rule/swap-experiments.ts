import type { CatalogObject, Experiment, Laboratory, Name, Selectable, Verdict } from '../model.ts';
import { countDependants } from './dependants.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { list, qualified, quote } from './words.ts';

/** Count and checksum of what a reader sees; the SQLSTATE where reading is refused. Materialized views are refreshed first on demand. */
async function seen(lab: Laboratory, name: Name, refresh = false): Promise<string> {
  if (refresh) await lab.run(`REFRESH MATERIALIZED VIEW ${qualified(name)}`);
  const answer = await lab.run(`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') AS seen FROM ${qualified(name)} AS t`);
  return failed(answer) ? answer.sqlstate : String(answer.rows[0]?.['seen']);
}

/** What stands for a new generation: `live` gets rows that it did not have, and the readers are asked; then the old one, `aside`, gets them. */
async function read(lab: Laboratory, aside: Name, live: Name, readers: readonly Selectable[]): Promise<Verdict | undefined> {
  const isMatview = async (name: Name): Promise<boolean> =>
    await numberOf(lab, `SELECT count(*) FROM pg_class WHERE oid = '${qualified(name).replaceAll("'", "''")}'::regclass AND relkind = 'm'`) === 1;
  const [asideRefreshes, liveRefreshes] = [await isMatview(aside), await isMatview(live)];
  const digest = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const reader of readers) found.push(await seen(lab, reader.name, reader.kind === 'matview'));
    return found;
  };
  const before = { live: await seen(lab, live), readers: await digest() };
  await lab.fill(live, 40);
  const now = await seen(lab, live, liveRefreshes);
  if (now === before.live) return undefined;
  const untouched = await digest();
  if (untouched.join() !== before.readers.join()) return undefined;
  // Control: what is written to the old generation does reach its readers.
  if (!asideRefreshes) await lab.run(`INSERT INTO ${qualified(aside)} SELECT * FROM ${qualified(live)}`);
  await seen(lab, aside, asideRefreshes);
  const reached = await digest();
  const shown = readers.filter((_, at) => reached[at] !== untouched[at]);
  if (shown.length === 0) return undefined;
  const rows = Number(now.split(' ')[0]);
  return {
    kind: 'confirmed', numbers: { rows },
    says: `${quote(live)} has ${rows} rows now; ${list(shown.map(({ name }) => quote(name)))} ${shown.length === 1 ? 'shows' : 'show'} what ${quote(aside)} holds instead.`,
  };
}

/**
 * After a swap these objects read the old generation, `aside`, instead of the one that has the name, `live`: rows are made that only the new one has, and
 * the views are read. Where reading tells nothing (no views among them, rows that were there already), the dependencies that Postgres keeps decide.
 */
export function readsOldGeneration(aside: Name, live: Name, objects: readonly CatalogObject[], recorded: string): Experiment {
  const readers = objects.filter((object): object is Selectable => object.kind === 'view' || object.kind === 'matview');
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      const found = await numberOf(lab, countDependants(aside, objects));
      if (found === undefined) return unproven('The objects of the claim are not there.');
      if (found !== objects.length) return unproven(`Postgres records ${found} of ${objects.length} dependencies on ${quote(aside)}.`);
      return await read(lab, aside, live, readers) ?? { kind: 'confirmed', says: recorded };
    },
  };
}
