import type { Experiment, LockMode, Name, Rows, SqlFailure } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { canSeeLock, unlessBlind } from './controls.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified, quote } from './words.ts';

/** A statement holds ACCESS EXCLUSIVE on the relation until its transaction ends: `sql` is run and pg_locks is read before and after. */
export function locksOut(name: Name, sql: string, at: 'before' | 'after'): Experiment {
  return {
    at, isolation: 'savepoint',
    run: async lab => {
      const oid = await numberOf(lab, `SELECT to_regclass(${quoteLiteral(qualified(name))})::oid`);
      if (oid === undefined) return unproven(`There is no ${quote(name)} to lock.`);
      const locks = `SELECT count(*) FROM pg_locks WHERE relation = ${oid} AND mode = 'AccessExclusiveLock' AND granted`;
      const before = await numberOf(lab, locks);
      if (before !== 0) {
        // The claim's own transaction is still open: what it dropped is gone from its view, and its lock is not.
        const dropped = await numberOf(lab, `SELECT count(*) FROM pg_locks AS l WHERE mode = 'AccessExclusiveLock' AND granted
          AND locktype = 'relation' AND NOT EXISTS (SELECT FROM pg_class WHERE oid = l.relation) AND relation <> ${oid}`);
        return dropped === undefined || dropped === 0 ? unproven('The transaction holds the lock already.')
          : { kind: 'confirmed', says: `The open transaction still holds AccessExclusiveLock on the ${quote(name)} that it dropped.` };
      }
      const answer = await lab.run(sql);
      if (failed(answer)) return unproven(`Postgres refuses the statement here: ${answer.message}.`);
      return await numberOf(lab, locks) === 1
        ? { kind: 'confirmed', says: `The statement holds AccessExclusiveLock on ${quote(name)}, which even a SELECT waits for.` }
        : unlessBlind({ kind: 'refuted', says: `After the statement no AccessExclusiveLock is held on ${quote(name)}.` }, () => canSeeLock(lab, 'AccessExclusiveLock'));
    },
  };
}

/** Before the step its transaction already holds this lock. */
export function holdsLock(name: Name, mode: LockMode): Experiment {
  return {
    at: 'before', isolation: 'savepoint',
    run: async lab => {
      const held = await numberOf(lab, `SELECT count(*) FROM pg_locks WHERE relation = to_regclass(${quoteLiteral(qualified(name))})
        AND mode = ${quoteLiteral(mode)} AND granted AND pid = pg_backend_pid()`);
      if (held === undefined) return unproven('The locks could not be read.');
      return held > 0 ? { kind: 'confirmed', says: `Before the statement the transaction holds ${mode} on ${quote(name)}.` }
        : unlessBlind({ kind: 'refuted', says: `Before the statement the transaction does not hold ${mode} on ${quote(name)}.` }, () => canSeeLock(lab, mode));
    },
  };
}

/**
 * Writing to a table refreshes a view inside the writer's transaction: rows are updated, deleted and inserted again, each in a transaction
 * of its own that is rolled back, and the locks on the view are read before its end. Only the refresh takes ones that strong (facts A).
 */
export function firesRefresh(table: Name, matview: Name): Experiment {
  const name = qualified(table);
  const locks = `SELECT count(*) FROM pg_locks WHERE relation = to_regclass(${quoteLiteral(qualified(matview))})
    AND mode IN ('ExclusiveLock', 'AccessExclusiveLock') AND granted`;
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(table, 5);
      await lab.run(`CREATE TEMP TABLE mvlint_row AS SELECT * FROM ${name} LIMIT 1`);
      const columns = await lab.run(`SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = ${quoteLiteral(name)}::regclass
        AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' LIMIT 1`);
      const column = failed(columns) ? undefined : columns.rows[0]?.['name'];
      const writes = [
        ...(typeof column === 'string' ? [[`UPDATE ${name} SET ${column} = ${column}`]] : []),
        [`DELETE FROM ${name}`], [`DELETE FROM ${name}`, `INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT * FROM mvlint_row`],
      ];
      for (const statements of writes) {
        await lab.run('BEGIN');
        const answers: (Rows | SqlFailure)[] = [];
        for (const sql of statements) answers.push(await lab.run(sql));
        const held = answers.some(failed) ? 0 : await numberOf(lab, locks);
        await lab.run('ROLLBACK');
        const word = statements.at(-1)!.split(' ')[0];
        if (held !== undefined && held > 0)
          return { kind: 'confirmed', says: `${word} holds a lock on ${quote(matview)} that only a refresh takes.` };
      }
      return unproven('No write that was tried fires the trigger.');
    },
  };
}

/** No lock_timeout is in force before the step, and its statement takes ACCESS EXCLUSIVE on the relation. */
export function waitsWithoutLimit(name: Name, sql: string): Experiment {
  const locks = locksOut(name, sql, 'before');
  return {
    ...locks,
    run: async lab => {
      const unlimited = await numberOf(lab, `SELECT (current_setting('lock_timeout') = '0')::int`);
      if (unlimited === 1) return locks.run(lab);
      return unlessBlind({ kind: 'refuted', says: 'A lock_timeout is in force.' }, async () => {
        await lab.run('SET LOCAL lock_timeout = 0');
        return await numberOf(lab, `SELECT (current_setting('lock_timeout') = '0')::int`) === 1;
      });
    },
  };
}
