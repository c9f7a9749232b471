import { sitesOfJob, sitesOfRoutine } from '../../catalog/code/sites.ts';
import { Store, type DefaultPrivilege } from '../../catalog/store.ts';
import type { Catalog, Statement } from '../../model.ts';
import { plainText } from '../../sql/text.ts';
import { introspect } from '../introspect.ts';
import { ServerUnavailable } from './problems.ts';
import { refused, type Asker, type ReadSession, type Row } from './session.ts';

const kinds: Readonly<Record<string, DefaultPrivilege['objects']>> = { r: 'tables', S: 'sequences', f: 'functions', T: 'types', n: 'schemas' };

function defaultPrivilege(row: Row): readonly DefaultPrivilege[] {
  const objects = kinds[String(row['objects'])];
  const { privileges, schema } = row;
  const grantee = String(row['grantee']);
  // A list for all schemas begins with what Postgres gives to everybody anyway.
  if (objects === undefined || !Array.isArray(privileges) || (grantee === 'public' && (objects === 'functions' || objects === 'types'))) return [];
  return [{ role: String(row['role']), objects, grantee, privileges: privileges.map(String), ...(typeof schema === 'string' ? { schema } : {}) }];
}

async function rowsOf(ask: Asker, name: Parameters<Asker>[0]): Promise<readonly Row[]> {
  const answer = await ask(name);
  if (refused(answer)) throw new ServerUnavailable(`the catalog cannot be read: ${answer.message}`);
  return answer;
}

/** Refreshes in the bodies of routines, and in jobs of pg_cron that the role may read. */
function putSites(store: Store, postgres: number, jobs: readonly Row[]): void {
  const sites = [...store.sites];
  for (const routine of store.objects()) {
    if (routine.kind !== 'routine') continue;
    sites.push(...sitesOfRoutine({ store, postgres }, routine));
  }
  for (const job of jobs) {
    const sql = String(job['command']);
    const name = `job ${String(job['id'])}`;
    const statement: Statement = { sql, span: { path: `database: ${name}`, start: 0, end: sql.length }, origins: [], ignores: [] };
    sites.push(...sitesOfJob({ store, statement }, plainText(sql), name));
  }
  store.sites = sites;
}

/**
 * The catalog of the database, in one transaction: what `introspect` reads, with refresh sites, default privileges and the versions of engines.
 * The role that runs migrations is not the one that reads: it stays unknown. Rejects with ServerUnavailable.
 */
export async function readCatalog(session: ReadSession): Promise<Catalog> {
  return session.read(async ({ ask, listed }) => {
    const catalog = await introspect(listed, { searchPath: session.searchPath });
    if (!(catalog instanceof Store)) throw new TypeError('introspect makes stores');
    catalog.postgres = session.major;
    catalog.session = { ...catalog.session, role: { unknown: 'the role that runs the migrations' } };
    catalog.defaultPrivileges = (await rowsOf(ask, 'defaultPrivileges')).flatMap(defaultPrivilege);
    const engines = await rowsOf(ask, 'engines');
    catalog.engineVersions = Object.fromEntries(engines.filter(row => row['name'] !== 'pg_cron').map(row => [String(row['name']), String(row['version'])]));
    const [may] = await rowsOf(ask, 'mayReadJobs');
    if (may?.['may'] === false) session.note('jobs of pg_cron are not seen: the role may not read cron.job');
    putSites(catalog, session.major, may?.['may'] === true ? await rowsOf(ask, 'jobs') : []);
    return catalog;
  });
}
