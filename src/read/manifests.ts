import type { ToolId } from '../model.ts';
import type { Context, Foreign } from './context.ts';
import { ancestors, join } from './paths.ts';
import { readSource } from './text.ts';

/** What the names of migration files look like; several tools share each form, so a manifest has to decide. */
export type Shape = 'up and down' | 'version prefix' | 'plain';

interface Manifest {
  /** A tool of mvlint, or the name of one that is not modelled. */
  readonly tool: ToolId | { readonly name: string; readonly byName?: boolean };
  readonly shapes: readonly Shape[];
  readonly file: string;
  /** What the file has to say; absent when its presence is enough. */
  readonly says?: RegExp;
  /** Only in the folder of the migrations itself. */
  readonly beside?: true;
  /** Only for this folder beneath the manifest's. */
  readonly folder?: string;
}

const foreign = (name: string, byName = false): { readonly name: string; readonly byName?: boolean } => ({ name, byName });

/** [facts 1: detected by, order] */
const manifests: readonly Manifest[] = [
  { tool: 'golang-migrate', shapes: ['up and down'], file: 'go.mod', says: /golang-migrate\/migrate/ },
  { tool: foreign('bun'), shapes: ['up and down'], file: 'go.mod', says: /uptrace\/bun\b/ },
  { tool: foreign('sqlx'), shapes: ['up and down', 'plain'], file: 'Cargo.toml', says: /^\s*sqlx\b|dependencies\.sqlx\b/m },
  { tool: foreign('node-pg-migrate'), shapes: ['up and down', 'plain'], file: 'package.json', says: /"node-pg-migrate"\s*:/ },
  { tool: foreign('Umzug'), shapes: ['up and down'], file: 'package.json', says: /"umzug"\s*:/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'flyway.toml' },
  { tool: 'flyway', shapes: ['version prefix'], file: 'flyway.conf' },
  { tool: 'flyway', shapes: ['version prefix'], file: 'pom.xml', says: /flyway/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'build.gradle', says: /flyway/ },
  { tool: 'flyway', shapes: ['version prefix'], file: 'build.gradle.kts', says: /flyway/ },
  { tool: foreign('refinery'), shapes: ['version prefix'], file: 'Cargo.toml', says: /^\s*refinery\b|dependencies\.refinery\b/m },
  { tool: foreign('pgmigrate'), shapes: ['version prefix'], file: 'migrations.yml' },
  { tool: foreign('goose'), shapes: ['plain'], file: 'go.mod', says: /pressly\/goose/ },
  { tool: foreign('Supabase', true), shapes: ['plain'], file: 'config.toml', says: /^\s*project_id\s*=/m, folder: 'migrations' },
  { tool: foreign('Atlas', true), shapes: ['plain', 'up and down', 'version prefix'], file: 'atlas.sum', beside: true },
  { tool: foreign('Drizzle', true), shapes: ['plain'], file: 'meta/_journal.json', beside: true },
  { tool: foreign('Sqitch'), shapes: ['plain'], file: 'sqitch.plan' },
  { tool: foreign('Diesel', true), shapes: ['plain'], file: 'diesel.toml' },
  { tool: foreign('Diesel', true), shapes: ['plain'], file: 'Cargo.toml', says: /^\s*diesel\b|dependencies\.diesel\b/m },
  { tool: foreign('Hasura'), shapes: ['plain'], file: 'config.yaml', says: /^metadata_directory:/m },
  { tool: foreign('Graphile Migrate'), shapes: ['plain'], file: '.gmrc' },
  { tool: foreign('tern'), shapes: ['plain'], file: 'tern.conf' },
];

export interface Claim {
  readonly tool: ToolId | Foreign;
  readonly path: string;
}

/** Who claims the files of a folder: everybody named by a manifest at the nearest level that names anybody. */
export function claims(context: Context, folder: string, shape: Shape): readonly Claim[] {
  for (const level of ancestors(folder)) {
    const found = new Map<string, Claim>();
    for (const { tool, shapes, file, says, beside, folder: below } of manifests) {
      const path = join(level, file);
      if (!shapes.includes(shape) || !context.known.has(path) || (beside === true && level !== folder)) continue;
      if (below !== undefined && join(level, below) !== folder) continue;
      if (says !== undefined && !says.test(readSource(context.files, path)?.text ?? '')) continue;
      const name = typeof tool === 'string' ? tool : tool.name;
      if (!found.has(name)) {
        found.set(name, { tool: typeof tool === 'string' ? tool : { tool: name, path, byName: tool.byName === true }, path });
      }
    }
    if (found.size > 0) return [...found.values()];
  }
  return [];
}
