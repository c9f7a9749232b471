import { createColors } from 'picocolors';
import { takeInventory, type Inventory, type Known, type Name, type InventoryView } from '../index.ts';
import { sizeText } from '../report/rendering.ts';
import { readArguments } from './arguments.ts';
import { colorful, toStdout } from './check.ts';
import { databaseUrl, withDatabase } from './database.ts';
import { UsageError } from './usage.ts';
import { version } from './version.ts';

/** `mvlint inventory --db <url>`: every materialized view of a database in one table, or as JSON. Exit status 0; all else is an error of use. */
export async function inventoryCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['db', 'format', 'live-explain', 'color', 'no-color', 'quiet', 'debug']);
  if (words.words.some(word => word.option === undefined)) throw new UsageError('inventory takes no paths; it looks at a database alone');
  const format = words.choice('format', ['text', 'json']) ?? 'text';
  const url = databaseUrl(words.last('db'), '--db');
  const inventory = await withDatabase(url, (session, progress) => takeInventory(session, { progress, explain: words.has('live-explain') }), words.has('quiet'));
  await toStdout(format === 'json' ? json(inventory) : table(inventory, colorful(words)));
  return 0;
}

const json = (inventory: Inventory): string => `${JSON.stringify({ version: 1, tool: { name: 'mvlint', version: version() }, ...inventory }, undefined, 2)}\n`;

const isKnown = <T>(value: Known<T>): value is T => !(typeof value === 'object' && value !== null && 'unknown' in value);
const dotted = ({ schema, name }: Name): string => `${schema}.${name}`;

export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

const shown = <T>(value: Known<T>, print: (value: T) => string): string => (isKnown(value) ? print(value) : '?');

/** The usable unique index by name; otherwise why none is. */
function concurrently({ indexes, populated }: InventoryView): string {
  const usable = indexes.find(index => index.usable);
  if (usable !== undefined) return populated ? usable.name : `${usable.name}, not yet`;
  return indexes.some(index => index.unique && !index.valid) ? 'no: invalid' : 'no';
}

/** The engines of incremental maintenance that would take its query; those of which that is not known carry a question mark. */
function eligible({ engines }: InventoryView): string {
  const taken = engines.filter(({ is }) => is !== 'refused').map(({ engine, is }) => (is === 'unknown' ? `${engine}?` : engine));
  return taken.length === 0 ? '-' : taken.join(' ');
}

/** What is wrong with a view, or cannot be seen of it; each a sentence. */
function remarks(view: InventoryView): readonly string[] {
  const { indexes, nulls } = view;
  const keys = indexes.filter(index => index.usable).flatMap(index => index.columns);
  const filled = isKnown(nulls) ? nulls.filter(({ column, fraction }) => fraction > 0 && keys.includes(column)) : [];
  const volatile = view.routines.filter(({ volatility }) => volatility === 'volatile');
  const foreign = volatile.filter(({ builtin }) => !builtin);
  const unknown = (what: string, value: object | number): readonly string[] =>
    (typeof value === 'object' && 'unknown' in value ? [`${what} is not known: ${String(value.unknown)}`] : []);
  return [
    ...(view.populated ? [] : ['it is not populated: every reader is refused']),
    ...indexes.filter(index => !index.valid).map(index => `index ${index.name} is invalid`),
    ...view.unreadable.map(name => `its owner ${view.owner} may not read ${dotted(name)}: every refresh fails`),
    ...(view.ownerMakesTemporary ? [] : [`its owner ${view.owner} lacks TEMP on the database: a concurrent refresh fails`]),
    ...filled.map(({ column, fraction }) => `${(fraction * 100).toFixed(1)} % of the key column ${column} are NULL: every concurrent refresh writes those rows anew`),
    ...volatile.filter(({ builtin }) => builtin).map(({ name }) => `it calls ${name.name}(), which is volatile`),
    ...foreign.map(({ name }) => `it calls ${dotted(name)}(), which is volatile`),
    ...(view.waiting > 0 ? [`${countText(view.waiting)} sessions wait for a lock on it`] : []), ...(view.locked ? ['somebody refreshes or changes it now'] : []),
    ...unknown('its size', view.bytes), ...(keys.length > 0 ? unknown('the share of NULLs in its key', nulls) : []),
    ...(view.plan === undefined ? [] : 'unknown' in view.plan ? [`no plan: ${view.plan.unknown}`]
      : [`the planner expects a cost of ${countText(view.plan.cost)} and ${countText(view.plan.rows)} rows`]),
    ...(view.trickle === undefined ? [] : 'unknown' in view.trickle ? [`pg_trickle was not asked: ${view.trickle.unknown}`]
      : view.trickle.slice(0, 1).map(({ result }) => `pg_trickle would keep it as ${result}`)),
  ];
}

const columns: readonly (readonly [title: string, right: boolean, cell: (view: InventoryView) => string])[] = [
  ['view', false, view => dotted(view.name)], ['size', true, view => shown(view.bytes, sizeText)], ['rows', true, view => shown(view.rows, countText)],
  ['populated', false, view => (view.populated ? 'yes' : 'no')], ['concurrently', false, concurrently], ['dependants', true, view => String(view.dependants.length)],
  ['readers', true, view => String(view.readers)], ['scans', true, view => shown(view.scans, countText)],
  ['a refresh reads', true, view => sizeText(view.cost.bytes)], ['eligible for', false, eligible],
];

function table(inventory: Inventory, color: boolean): string {
  const colors = createColors(color);
  const { views, unseen, extensions, replicas } = inventory;
  const cells = [columns.map(([title]) => title), ...views.map(view => columns.map(([, , cell]) => cell(view)))];
  const widths = columns.map((_, at) => Math.max(...cells.map(row => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (columns[at]?.[1] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join('  ').trimEnd();
  const noted = views.flatMap(view => remarks(view).map(remark => `${dotted(view.name)}: ${remark}`));
  const engines = Object.entries(extensions).map(([name, number]) => `${name} ${number}`);
  return [
    ...(views.length === 0 ? ['There is no materialized view.'] : [colors.bold(line(cells[0] ?? [])), ...cells.slice(1).map(line)]),
    ...(noted.length === 0 ? [] : ['', ...noted]),
    ...unseen.map(({ name, because }) => `${dotted(name)}: ${because}`),
    '',
    `PostgreSQL ${inventory.postgres}${inventory.standby ? ', a standby' : ''}; ${shown(replicas, count => `${count} standbys stream from it`)}`
      + `${engines.length === 0 ? '' : `; ${engines.join(', ')}`}.`,
    '',
  ].join('\n');
}
