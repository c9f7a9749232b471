import type { Experiment, Laboratory, Rows, SqlFailure, Verdict } from '../model.ts';
import { controlOf } from './control.ts';
import type { Server } from './host.ts';
import { fillBeneath } from './fill.ts';
import { failed, type LiveSession } from './session.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs an experiment; whatever goes wrong in it is an unproven verdict that says so. `ended`: why the server stopped under it. */
async function verdictOf(experiment: Experiment, lab: Laboratory, ended: () => string | undefined): Promise<Verdict> {
  try {
    const verdict = await experiment.run(lab);
    const why = ended();
    return why === undefined ? verdict : { kind: 'unproven', says: why };
  } catch (error) {
    return { kind: 'unproven', says: `The experiment failed: ${messageOf(error)}` };
  }
}

/**
 * An experiment in the place the session stands in, inside a transaction that is rolled back. Each statement has a savepoint of its own, so that a
 * refusal does not spoil the ones after it. `limit`: milliseconds that its next statement may take. BEGIN, COMMIT and ROLLBACK are not sent: they would end what protects the session.
 */
export async function inSavepoint(session: LiveSession, experiment: Experiment, limit = (): number => 10_000): Promise<Verdict> {
  if (session.transaction === 'failed') return { kind: 'unproven', says: 'An earlier statement of this transaction was refused.' };
  const inside = session.transaction === 'open';
  let ended: string | undefined;
  const send = async (sql: string): Promise<Rows | SqlFailure> => {
    if (ended !== undefined) return { sqlstate: '57P01', message: ended };
    const answer = await session.probe(sql, { limit: limit() });
    if (failed(answer) && (answer.sqlstate === '57014' || answer.sqlstate === '57P01')) ended = `A statement of the experiment was ended: ${answer.message}.`;
    return answer;
  };
  const run = async (sql: string): Promise<Rows | SqlFailure> => {
    const control = controlOf(sql);
    if (control !== 'none' && control !== 'rollbackTo') return { sqlstate: 'MVL01', message: 'an experiment in a savepoint does not begin or end transactions' };
    await send('SAVEPOINT mvlint_statement');
    const answer = await send(sql);
    if (failed(answer)) await send('ROLLBACK TO SAVEPOINT mvlint_statement');
    await send('RELEASE SAVEPOINT mvlint_statement');
    return answer;
  };
  await send(inside ? 'SAVEPOINT mvlint_experiment' : 'BEGIN');
  const verdict = await verdictOf(experiment, { run, fill: (relation, rows) => fillBeneath(run, relation, rows) }, () => ended);
  // An ended server was replaced by one without the experiment in it.
  if (ended === undefined) for (const sql of inside ? ['ROLLBACK TO SAVEPOINT mvlint_experiment', 'RELEASE SAVEPOINT mvlint_experiment'] : ['ROLLBACK']) await session.probe(sql);
  return verdict;
}

/** An experiment on a server of its own: each statement is its own transaction. The server is closed afterwards. `limit` as above. */
export async function onCopy(server: Server, experiment: Experiment, limit = (): number => 10_000): Promise<Verdict> {
  let ended: string | undefined;
  const run = async (sql: string): Promise<Rows | SqlFailure> => {
    const answer = await server.run(sql, { limit: limit() });
    if (!server.alive) ended ??= `A statement of the experiment was ended: ${failed(answer) ? answer.message : 'the server stopped'}.`;
    return answer;
  };
  const verdict = await verdictOf(experiment, { run, fill: (relation, rows) => fillBeneath(run, relation, rows) }, () => ended);
  await server.close();
  return verdict;
}
