/**
 * Writes `src/builtins/data/builtins.txt` from real servers, one of each major (`npm run servers -- 14 15 16 17 18` fetches them):
 *
 *     npm run generate:builtins
 *
 * One table serves all majors: a row that not every major has ends with `@from-until`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { majors } from '../builtins/builtins.ts';
import { printCast, printFunction, printOperator, printType } from '../builtins/rows.ts';
import { readServer, type ServerCatalog } from '../builtins/server.ts';
import { missingServers, withServer } from './server.ts';

/** name → row text → majors that have it; both in the order of their first appearance, the newest major first. */
type Section = Map<string, Map<string, number[]>>;

function put(section: Section, name: string, row: string, major: number): void {
  const rows = section.get(name) ?? new Map<string, number[]>();
  section.set(name, rows);
  const known = rows.get(row) ?? [];
  rows.set(row, [...known, major]);
}

/** `@from-until` for each unbroken run of majors; nothing when all have the row. */
function withMajors(row: string, present: readonly number[]): readonly string[] {
  if (majors.every(major => present.includes(major))) return [row];
  const runs: number[][] = [];
  for (const major of majors) {
    if (!present.includes(major)) continue;
    const last = runs.at(-1);
    if (last !== undefined && majors.indexOf(last.at(-1)!) === majors.indexOf(major) - 1) last.push(major);
    else runs.push([major]);
  }
  return runs.map(run => `${row}@${run[0] === majors[0] ? '' : run[0]}-${run.at(-1) === majors.at(-1) ? '' : run.at(-1)}`);
}

function printSection(title: string, section: Section): string {
  const names = [...section.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const lines = names.map(name => [name, ...[...section.get(name)!].flatMap(([row, present]) => withMajors(row, present))].join('\t'));
  return [`# ${title}`, ...lines, ''].join('\n');
}

const missing = missingServers(majors);
if (missing.length > 0) {
  process.stderr.write(`missing servers: npm run servers -- ${missing.join(' ')}\n`);
  process.exit(2);
}
const sections = { functions: new Map(), operators: new Map(), casts: new Map(), types: new Map() } satisfies Record<keyof ServerCatalog,
  Section>;
for (const major of [...majors].reverse()) {
  const catalog = await withServer(major, async server => {
    const client = await server.connect();
    return readServer(async sql => (await client.query(sql)).rows as Record<string, unknown>[]);
  });
  for (const row of catalog.functions) put(sections.functions, row.name, printFunction(row), major);
  for (const row of catalog.operators) put(sections.operators, row.name, printOperator(row), major);
  for (const row of catalog.casts) put(sections.casts, row.source, printCast(row), major);
  for (const row of catalog.types) put(sections.types, row.name, printType(row), major);
  process.stdout.write(`PostgreSQL ${major}: ${Object.entries(catalog).map(([kind, rows]) => `${(rows as readonly unknown[]).length} ${kind}`).join(', ')}\n`);
}
const text = Object.entries(sections).map(([title, section]) => printSection(title, section)).join('');
const file = join(import.meta.dirname, '../builtins/data/builtins.txt');
writeFileSync(file, text);
process.stdout.write(`${file}: ${text.length} bytes\n`);
