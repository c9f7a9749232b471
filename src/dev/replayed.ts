import { replay } from '../catalog/replay.ts';
import type { Catalog, Statement } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';

/** The catalog that a migration leaves behind, for tests. */
export function replayedCatalog(statements: readonly string[], postgres = 18): Catalog {
  const { histories } = readHistories(memoryFiles({ 'db/001.sql': statements.map(statement => `${statement};\n`).join('') }),
    { tool: 'psql' });
  const run = replay(histories[0]!, { postgres, role: 'postgres' });
  for (let next = run.next(); ; next = run.next()) if (next.done) return next.value;
}

/** A text as a statement that stands at the beginning of `path`. */
export function statementOf(sql: string, path = 'q.sql'): Statement {
  const span = { path, start: 0, end: sql.length };
  return { sql, span, ignores: [] };
}
