import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { History, Migration, Statement, ToolId, Unit } from '../model.ts';
import { diskFiles, memoryFiles, overlayFiles } from './files.ts';
import { readHistories, sourceText, toolIds } from './read.ts';
import { originsOf } from '../sql/span.ts';

/** What a project promises; the optional facts are compared where its tool has something to say about them. */
interface Expected {
  readonly tool: string; readonly root: string; readonly order: readonly string[]; readonly txMode: readonly string[]; readonly explicitBegin: readonly boolean[];
  readonly down: readonly string[]; readonly ignored: readonly string[]; readonly fails: readonly string[]; readonly gaps: readonly string[];
  readonly failsBefore?: Readonly<Record<string, readonly string[]>>;
  readonly downTxMode?: readonly string[]; readonly execUnits?: readonly number[]; readonly statements?: readonly number[]; readonly problems?: readonly string[];
}

const projects = join(import.meta.dirname, '../../fixtures/projects');
const tools = readdirSync(projects).filter(name => existsSync(join(projects, name, 'expect.json')));
const expectedOf = (tool: string): Expected => JSON.parse(readFileSync(join(projects, tool, 'expect.json'), 'utf8'));

const modes = { batch: () => 'shared-tx', migration: () => 'own-tx', none: ({ protocol }: Unit) =>
  ({ single: 'autocommit', 'simple-string': 'implicit-string', pipeline: 'pipeline' })[protocol] };
/** goose cuts a file itself, each piece a round trip: outside of a transaction that is autocommit, even where a piece holds two commands. */
const cutsItself = new Set<ToolId>(['goose']);
const modeOf = (tool: ToolId) => (unit: Unit): string => (cutsItself.has(tool) && unit.scope === 'none' ? 'autocommit' : modes[unit.scope](unit));
/** Liquibase runs changesets, the others files. */
const migrationName = ({ tool, root }: History, { id, path }: Migration): string => (tool === 'liquibase' ? id : nameOf(root, path));
const nameOf = (root: string, path: string): string => (root === '' ? path : path.slice(root.length + 1)).replace(/\/migration\.sql$/, '');
const statementsOf = (units: readonly Unit[] = []): readonly Statement[] => units.flatMap(({ statements }) => statements);

/** CONCURRENTLY on an index inside any transaction fails; the first command of a pipeline commits at once (measured, facts 0). */
const failing = ({ up }: Migration): boolean => up.some(({ scope, protocol, statements }) => statements.some(({ sql }, i) => /\bINDEX\s+CONCURRENTLY\b/i.test(sql)
  && (scope !== 'none' || (protocol === 'simple-string' && statements.length > 1) || (protocol === 'pipeline' && i > 0))));

test('every tool has a project', () => expect(tools).toEqual(toolIds.toSorted()));

for (const tool of tools) {
  test(`${tool}: order, transactions, direction and what is left out are as the tool does it`, () => {
    const expected = expectedOf(tool);
    const { histories, problems } = readHistories(diskFiles(join(projects, tool)));
    expect(problems).toEqual([]);
    expect(histories).toHaveLength(1);
    const [history] = histories;
    if (history === undefined) return;
    const names = (migrations: readonly Migration[]): readonly string[] => migrations.map(migration => migrationName(history, migration));
    const mode = (units: readonly Unit[]): string => [...new Set(units.map(modeOf(history.tool)))].join();
    const { migrations } = history;
    expect({
      tool: history.tool, root: history.root,
      order: names(migrations),
      txMode: migrations.map(({ up }) => mode(up)),
      explicitBegin: migrations.map(({ up }) => statementsOf(up).some(({ sql }) => /^BEGIN$/i.test(sql))),
      down: migrations.flatMap(({ down }) => [...new Set(statementsOf(down).map(({ span }) => nameOf(history.root, span.path)))]),
      ignored: history.ignored.map(({ path }) => path),
      fails: names(migrations.filter(failing)),
      gaps: history.gaps.map(({ because }) => because),
      problems: (history.problems ?? []).map(({ rule, span }) => `${rule} ${nameOf(history.root, span.path)}`),
      ...(expected.downTxMode && { downTxMode: migrations.map(({ down }) => mode(down ?? [])) }),
      ...(expected.execUnits && { execUnits: migrations.map(({ up }) => up.length) }),
      ...(expected.statements && { statements: migrations.map(({ up }) => statementsOf(up).length) }),
    }).toEqual({ problems: [], ...expected, failsBefore: undefined });
    expect(history.migrations.map(({ deploy }) => deploy)).toEqual(history.migrations.map((_, i) => i));
  });

  test(`${tool}: a span is the statement's text wherever nothing was filled in, and its origins cover it`, () => {
    const files = diskFiles(join(projects, tool));
    for (const { migrations } of readHistories(files).histories) {
      for (const statement of migrations.flatMap(({ up, down }) => [...statementsOf(up), ...statementsOf(down)])) {
        const { sql, span } = statement;
        const text = sourceText(files, span.path) ?? '';
        if (!/\$\{|\{\{|:["']?(?:mv|income)|:[A-Z]/.test(text.slice(span.start, span.end))) expect(text.slice(span.start, span.end)).toBe(sql);
        let at = 0;
        for (const origin of originsOf(statement)) {
          expect(origin.start).toBe(at);
          at = origin.end;
          if (origin.end - origin.start === origin.span.end - origin.span.start && !/[$:{]/.test(text.charAt(origin.span.start))) {
            expect(text.slice(origin.span.start, origin.span.end)).toBe(sql.slice(origin.start, origin.end));
          }
        }
        expect(at).toBe(sql.length);
      }
    }
  });
}

test('prisma: from 7.4 on a file with CREATE INDEX CONCURRENTLY is split', () => {
  const expected = expectedOf('prisma');
  const failsWith = (files: Record<string, string>): readonly string[] =>
    readHistories(overlayFiles(memoryFiles(files), diskFiles(join(projects, 'prisma'))))
    .histories.flatMap(({ root, migrations }) => migrations.filter(failing).map(({ path }) => nameOf(root, path)));
  const lock = (version: string): string => JSON.stringify({ packages: { 'node_modules/prisma': { version } } });
  expect(failsWith({ 'package.json': '{"devDependencies":{"prisma":"^7.4.0"}}' })).toEqual([]);
  expect(failsWith({ 'package.json': '{"devDependencies":{"prisma":"^7.3.2"}}' })).toEqual(expected.failsBefore?.['7.4.0']);
  expect(failsWith({ 'package.json': '{"devDependencies":{"prisma":"^7.0.0"}}', 'package-lock.json': lock('7.5.1') })).toEqual([]);
  expect(failsWith({ 'package.json': '{"devDependencies":{"prisma":"^6.1.0"}}',
    'package-lock.json': lock('6.19.0') })).toEqual(expected.failsBefore?.['7.4.0']);
  expect(failsWith({ 'yarn.lock': 'prisma@^7.1.0:\n  version "7.6.0"\n' })).toEqual([]);
  expect(failsWith({ 'pnpm-lock.yaml': 'packages:\n\n  prisma@7.3.0:\n    resolution: {}\n' })).toEqual(expected.failsBefore?.['7.4.0']);
});
