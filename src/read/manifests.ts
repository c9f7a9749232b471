import type { ToolId } from '../model.ts';
import type { Context, Foreign } from './context.ts';
import { ancestors, join } from './paths.ts';
import { readSource } from './text.ts';

/** What the names of migration files look like; several tools share each form, so a manifest has to decide. */
export type Shape = 'up and down' | 'version prefix' | 'numbered' | 'folders';

interface Manifest {
  /** A tool of mvlint, or the name of one that is not modelled. */
  readonly tool: ToolId | { readonly name: string };
  readonly shapes: readonly Shape[];
  readonly file: string;
  /** What the file has to say; absent when its presence is enough. */
  readonly says?: RegExp;
}

const crate = (name: string): RegExp => new RegExp(`^[ \\t]*${name}\\b|dependencies\\.${name}\\b`, 'm');

/**
 * Files that say which tool a project depends on [facts 1: detected by]. goose, dbmate, tern and Liquibase need none: their files carry
 * marks that no other tool reads. What a tool's own configuration says stands in `layouts.ts`.
 */
const manifests: readonly Manifest[] = [
  { tool: 'golang-migrate', shapes: ['up and down'], file: 'go.mod', says: /golang-migrate\/migrate/ },
  { tool: { name: 'bun' }, shapes: ['up and down'], file: 'go.mod', says: /uptrace\/bun\b/ },
  { tool: 'sqlx', shapes: ['up and down', 'numbered'], file: 'Cargo.toml', says: crate('sqlx') },
  { tool: { name: 'node-pg-migrate' }, shapes: ['up and down', 'numbered'], file: 'package.json', says: /"node-pg-migrate"\s*:/ },
  { tool: { name: 'Umzug' }, shapes: ['up and down'], file: 'package.json', says: /"umzug"\s*:/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'flyway.toml' },
  { tool: 'flyway', shapes: ['version prefix'], file: 'flyway.conf' },
  { tool: 'flyway', shapes: ['version prefix'], file: 'pom.xml', says: /flyway/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'build.gradle', says: /flyway/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'build.gradle.kts', says: /flyway/ },
  { tool: 'refinery', shapes: ['version prefix'], file: 'Cargo.toml', says: crate('refinery') },
  { tool: 'refinery', shapes: ['version prefix'], file: 'refinery.toml' },
  { tool: 'pgmigrate', shapes: ['version prefix'], file: 'migrations.yml' },
  { tool: 'diesel', shapes: ['folders'], file: 'diesel.toml' },
  { tool: 'diesel', shapes: ['folders'], file: 'Cargo.toml', says: crate('diesel') },
];

export interface Claim {
  readonly tool: ToolId | Foreign;
  readonly path: string;
}

/** Who claims the files of a folder: everybody named by a manifest at the nearest level that names anybody. */
export function claims(context: Context, folder: string, shape: Shape): readonly Claim[] {
  for (const level of ancestors(folder)) {
    const found = new Map<string, Claim>();
    for (const { tool, shapes, file, says } of manifests) {
      const path = join(level, file);
      if (!shapes.includes(shape) || !context.known.has(path)) continue;
      if (says !== undefined && !says.test(readSource(context.files, path)?.text ?? '')) continue;
      const name = typeof tool === 'string' ? tool : tool.name;
      if (!found.has(name)) found.set(name, { tool: typeof tool === 'string' ? tool : { tool: name, path }, path });
    }
    if (found.size > 0) return [...found.values()];
  }
  return [];
}
