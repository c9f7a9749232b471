import type { History, Migration, Statement, ToolId, Unit } from '../model.ts';

/** One statement's turn in the one order of execution that the replay and the laboratory share. */
export interface Turn {
  readonly migration: Migration;
  /** 2 for the second run of a repeatable migration: the first makes, the second is judged over the result of the first. */
  readonly pass: 1 | 2;
  readonly judged: boolean;
  readonly unit: Unit;
  readonly statement: Statement;
  /** Position in the whole sequence, from 0. */
  readonly ordinal: number;
}

/** A migration's run: versioned ones once, repeatable ones after all of them and then once more. */
export interface Run {
  readonly migration: Migration;
  readonly pass: 1 | 2;
  readonly judged: boolean;
}

/** Every run of a history, in order. */
export function runs(history: History): readonly Run[] {
  const repeatables = history.migrations.filter(migration => migration.kind === 'repeatable');
  return [
    ...history.migrations.filter(migration => migration.kind === 'versioned').map(migration => ({ migration, pass: 1 as const, judged: true })),
    ...repeatables.map(migration => ({ migration, pass: 1 as const, judged: false })),
    ...repeatables.map(migration => ({ migration, pass: 2 as const, judged: true })),
  ];
}

/** Every statement of a history in the order it is sent. A refused statement ends its `simple-string` or `pipeline` unit; the rest goes on. */
export function* turns(history: History): Iterable<Turn> {
  let ordinal = 0;
  for (const run of runs(history))
    for (const unit of run.migration.up)
      for (const statement of unit.statements) yield { ...run, unit, statement, ordinal: ordinal++ };
}

/** Plain files and Sqitch's scripts are each a run of psql of their own; Supabase and tern RESET ALL between two files. */
const newSessions: ReadonlySet<ToolId> = new Set(['psql', 'sqitch', 'supabase', 'tern']);

/** How long a session lives, and with it SET and search_path: the other tools keep one connection for the whole run. */
export function sessionLives(tool: ToolId): 'migration' | 'history' {
  return newSessions.has(tool) ? 'migration' : 'history';
}
