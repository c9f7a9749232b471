import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { flywayRoots, flywaySettings } from './flyway-config.ts';
import { flywayName } from './flyway.ts';
import { newLedger } from './ledger.ts';
import { ancestors, basename, compareCodeUnits, dirname, relativeTo } from './paths.ts';

/** Folders that hold copies, samples and the tests' own files. They count only when the user names them. */
export const asideFolders = /(?:^|\/)(?:test|tests|__tests__|testdata|fixtures?|examples?|samples?|vendor|third_party|target|build|dist|out|bin|coverage|\.[^/]+)\//i;
/** Histories of other databases, side by side with the one for PostgreSQL. */
export const otherDatabases = /(?:^|\/)(?:mysql|mariadb|sqlite3?|oracle|mssql|sqlserver|h2|hsqldb|derby|db2|cassandra|clickhouse|mongodb|snowflake|bigquery|redshift)\//i;

/** The history a configuration names. Without `locations` in it: `sql` beside it, then the folders whose names fit. */
export function flywayCandidate(context: Context, config: string): Candidate | undefined {
  const ledger = newLedger();
  const settings = flywaySettings(context, config, ledger);
  const home = basename(dirname(config)) === 'conf' ? dirname(dirname(config)) : dirname(config);
  if (settings.locations.length > 0) return { tool: 'flyway', roots: flywayRoots(context, config, settings, ledger), config };
  const beneath = pathsUnder(context, home);
  const sql = home === '' ? 'sql' : `${home}/sql`;
  if (beneath.some(path => path.startsWith(`${sql}/`))) return { tool: 'flyway', roots: [sql], config };
  const roots = flywayFolders(beneath.filter(path => !asideFolders.test(relativeTo(home, path))
    && !otherDatabases.test(relativeTo(home, path))));
  return roots.length === 0 ? undefined : { tool: 'flyway', roots, config };
}

/**
 * Folders whose names look Flyway's: one `…/db/migration`, else the highest folder that holds such a file; folders of years and kinds join
 * their parent.
 */
export function flywayFolders(paths: Iterable<string>): readonly string[] {
  const roots = new Set<string>();
  for (const folder of new Set([...paths].filter(path => flywayName.test(basename(path))).map(dirname))) {
    const standard = /^(?:.*\/)?db\/migrations?(?=\/|$)/.exec(folder)?.[0];
    roots.add(standard ?? (/^(?:v?\d[\w.-]*|versioned|repeatables?|undo|baselines?|callbacks?)$/i.test(basename(folder)) ? dirname(folder)
      : folder));
  }
  return [...roots].filter(root => !ancestors(dirname(root)).some(above => above !== root && roots.has(above))).sort(compareCodeUnits);
}
