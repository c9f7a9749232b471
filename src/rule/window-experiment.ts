import type { Experiment, Laboratory, Matview } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified, quote } from './words.ts';

/** UPDATE statements that move every time in the tables beneath a view back; undefined when they cannot be listed. */
async function movingBack(lab: Laboratory, view: string, days: number): Promise<readonly string[] | undefined> {
  const answer = await lab.run(`WITH RECURSIVE beneath(oid) AS (
      SELECT ${quoteLiteral(view)}::regclass::oid
      UNION SELECT d.refobjid FROM beneath AS b JOIN pg_rewrite AS r ON r.ev_class = b.oid
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass)
    SELECT format('UPDATE %I.%I SET %s', n.nspname, c.relname,
      string_agg(format('%I = %1$I - interval ''${days} days''', a.attname), ', ' ORDER BY a.attnum)) AS sql
    FROM beneath AS b JOIN pg_class AS c ON c.oid = b.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
    GROUP BY n.nspname, c.relname ORDER BY 1`);
  return failed(answer) ? undefined : answer.rows.map(row => String(row['sql']));
}

/**
 * Time passes and the view has another number of rows. A throwaway server's clock cannot be set, so every time in the tables is moved back instead, which is
 * the same to a condition that compares the two. Counted are rows alone: values that hold the moved times differ anyway. Conditions that these rows
 * do not reach show nothing, so it never refutes.
 */
export function rowsSlide({ name }: Matview): Experiment {
  const view = qualified(name);
  const rows = async (lab: Laboratory): Promise<number | undefined> => {
    const refreshed = await lab.run(`REFRESH MATERIALIZED VIEW ${view}`);
    return failed(refreshed) ? undefined : numberOf(lab, `SELECT count(*) FROM ${view}`);
  };
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(name, 100);
      const before = await rows(lab);
      if (before === undefined) return unproven('The view could not be refreshed.');
      let passed = 0;
      for (const days of [7, 100, 1000]) {
        for (const sql of await movingBack(lab, view, days) ?? []) {
          const answer = await lab.run(sql);
          if (failed(answer)) return unproven(`The times in the tables could not be moved: ${answer.message}.`);
        }
        passed += days;
        const after = await rows(lab);
        if (after !== undefined && after !== before)
          return { kind: 'confirmed', says: `${quote(name)} has ${after} rows instead of ${before} when ${passed} days pass.`, numbers: { before, after } };
      }
      return unproven(`${passed} days later ${quote(name)} has as many rows; these rows do not show it.`);
    },
  };
}
