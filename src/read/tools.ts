import type { ToolId } from '../model.ts';
import { readAtlas } from './atlas.ts';
import type { Candidate, Context } from './context.ts';
import { readDbmate } from './dbmate.ts';
import { readDiesel } from './diesel.ts';
import type { MigrationDraft } from './draft.ts';
import { readDrizzle } from './drizzle.ts';
import { readFlyway } from './flyway.ts';
import { readGolangMigrate } from './golang-migrate.ts';
import { readGoose } from './goose.ts';
import { readGraphileMigrate } from './graphile-migrate.ts';
import { readHasura } from './hasura.ts';
import type { Ledger } from './ledger.ts';
import { readLiquibase } from './liquibase.ts';
import { readPgmigrate } from './pgmigrate.ts';
import { readPrisma } from './prisma.ts';
import { readPsql } from './psql.ts';
import { readRefinery } from './refinery.ts';
import { readSqitch } from './sqitch.ts';
import { readSqlx } from './sqlx.ts';
import { readSupabase } from './supabase.ts';
import { readTern } from './tern.ts';

/**
 * Reads one history in its tool's order. What cannot be seen is a gap in the ledger, what is wrong a problem there; never throws for it.
 */
export type Reader = (context: Context, candidate: Candidate, ledger: Ledger) => readonly MigrationDraft[];

interface Tool {
  /** As its people write it. */
  readonly title: string;
  readonly read: Reader;
}

/** Every tool that is modelled; help, schemas, README and the action name the same ones (`tools.test.ts`). */
export const tools: Readonly<Record<ToolId, Tool>> = {
  psql: { title: 'plain SQL as psql runs it', read: readPsql },
  flyway: { title: 'Flyway', read: readFlyway },
  liquibase: { title: 'Liquibase formatted SQL', read: readLiquibase },
  'golang-migrate': { title: 'golang-migrate', read: readGolangMigrate },
  goose: { title: 'goose', read: readGoose },
  dbmate: { title: 'dbmate', read: readDbmate },
  prisma: { title: 'Prisma', read: readPrisma },
  drizzle: { title: 'Drizzle', read: readDrizzle },
  supabase: { title: 'Supabase CLI', read: readSupabase },
  sqlx: { title: 'sqlx', read: readSqlx },
  diesel: { title: 'Diesel', read: readDiesel },
  refinery: { title: 'refinery', read: readRefinery },
  sqitch: { title: 'Sqitch', read: readSqitch },
  atlas: { title: 'Atlas', read: readAtlas },
  hasura: { title: 'Hasura CLI', read: readHasura },
  'graphile-migrate': { title: 'Graphile Migrate', read: readGraphileMigrate },
  tern: { title: 'tern', read: readTern },
  pgmigrate: { title: 'pgmigrate', read: readPgmigrate },
};

/** The names of the tools, as options and configurations take them. */
export const toolIds = Object.keys(tools) as readonly ToolId[];
