/** One statement after a schema, asked of Postgres and of the replay: who refuses it, with which SQLSTATE. */
import { PGlite } from '@electric-sql/pglite';
import { replay } from '../catalog/replay.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';

/** SQLSTATEs: what came from Postgres, and what the replay said; undefined where the statement runs. */
export interface Refused {
  readonly came: string | undefined;
  readonly said: string | undefined;
}

export interface RefusalBench {
  start(): Promise<void>;
  /** `before`: statements that run first, in the same transaction; nothing of it stays. */
  ask(sql: string, before?: string): Promise<Refused>;
  end(): Promise<void>;
}

export function refusalBench(schema: string): RefusalBench {
  let server: PGlite | undefined;
  return {
    async start() {
      server = await PGlite.create();
      await server.exec(schema);
    },
    async ask(sql, before = '') {
      if (!server) throw new Error('the server is not started');
      await server.exec(`begin; ${before}`);
      const came = await server.exec(sql).then(() => undefined, (error: { code?: string }) => error.code);
      await server.exec('rollback');
      const [history] = readHistories(memoryFiles({ 'db/001.sql': schema, 'db/002.sql': `begin;\n${before};\n${sql};\n` }), { tool: 'psql' }).histories;
      const steps = [...replay(history!, { role: 'postgres' })].flatMap(migration => migration.steps);
      return { came, said: steps.findLast(step => step.refusal !== undefined)?.refusal?.sqlstate };
    },
    end: async () => server?.close(),
  };
}
