import type { Laboratory, Rows, SqlFailure, Verdict } from '../model.ts';

/** Whether Postgres refused. */
export const failed = (answer: Rows | SqlFailure): answer is SqlFailure => 'sqlstate' in answer;
/** A verdict that says why nothing was shown. */
export const unproven = (says: string): Verdict => ({ kind: 'unproven', says });

/** The one value of a one-row answer as a number; undefined when Postgres refused. */
export async function numberOf(lab: Laboratory, sql: string): Promise<number | undefined> {
  const answer = await lab.run(sql);
  const value = failed(answer) ? undefined : Object.values(answer.rows[0] ?? {})[0];
  return value === undefined || value === null ? undefined : Number(value);
}
