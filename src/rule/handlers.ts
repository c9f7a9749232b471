import { bodyOf } from '../catalog/code/body.ts';
import { catches } from '../catalog/code/errors.ts';
import { refreshesIn } from '../catalog/code/refreshes.ts';
import type { Catalog, Experiment, Matview, Name, Span, Statement } from '../model.ts';
import { pieceText, readPlpgsql, type Code, type Piece } from '../sql/plpgsql.ts';
import { textStatement, type Text } from '../sql/text.ts';
import { canRefuse, unlessBlind } from './controls.ts';
import { failed, unproven } from './laboratory.ts';
import { qualified, quote } from './words.ts';

/** A concurrent refresh, and the plain one of the same view that a handler has ready for 55000 and not for 0A000. */
export interface BlindHandler {
  readonly matview: Matview;
  readonly tried: Span;
  readonly fallback: Span;
}

/** What CONCURRENTLY raises where no index qualifies, and where the view is not populated (measured, facts B). */
const withoutIndex = '55000';
const unpopulated = '0A000';

/** The fallbacks in a routine's or DO statement's body that an unpopulated view does not reach. */
export function blindHandlers(statement: Statement, catalog: Catalog): readonly BlindHandler[] {
  if (!/\bexception\b/i.test(statement.sql) || !/\bconcurrently\b/i.test(statement.sql)) return [];
  const body = bodyOf(statement);
  const read = body && readPlpgsql(statement.sql, body.text.text);
  return body !== undefined && read?.ok === true ? inCode(read.body.code, body.text, statement, catalog) : [];
}

function inCode(list: readonly Code[], text: Text, outer: Statement, catalog: Catalog): readonly BlindHandler[] {
  const refreshes = (code: readonly Code[]): readonly Refresh[] => refreshesOf(code, text, outer, catalog);
  return list.flatMap((code): readonly BlindHandler[] => {
    if (code.kind === 'if') return [...code.arms.flatMap(arm => inCode(arm.body, text, outer, catalog)), ...inCode(code.otherwise, text, outer, catalog)];
    if (code.kind === 'loop') return inCode(code.body, text, outer, catalog);
    if (code.kind !== 'block') return [];
    const inner = inCode(code.body, text, outer, catalog);
    const all = code.handlers.flatMap(({ conditions }) => conditions);
    const handler = code.handlers.find(({ conditions }) => conditions.some(condition => catches(condition, withoutIndex)));
    if (handler === undefined || all.some(condition => catches(condition, unpopulated))) return inner;
    const fallbacks = refreshes(handler.body).filter(({ concurrently }) => !concurrently);
    return [...inner, ...refreshes(code.body).filter(({ concurrently }) => concurrently).flatMap(({ matview, span }) => {
      const fallback = fallbacks.find(other => other.matview.id === matview.id);
      return fallback === undefined ? [] : [{ matview, tried: span, fallback: fallback.span }];
    })];
  });
}

interface Refresh {
  readonly matview: Matview;
  readonly concurrently: boolean;
  readonly span: Span;
}

function refreshesOf(list: readonly Code[], text: Text, outer: Statement, catalog: Catalog): readonly Refresh[] {
  const one = (piece: Piece): readonly Refresh[] => refreshesIn(pieceText(text, piece)).flatMap(({ target, concurrently, withData, text: own }) => {
    const found = catalog.find(target);
    return withData === false || found.is !== 'present' || found.object.kind !== 'matview' ? []
      : [{ matview: found.object, concurrently, span: textStatement(own, outer.span).span }];
  });
  return list.flatMap((code): readonly Refresh[] => {
    if (code.kind === 'sql') return one(code.piece);
    if (code.kind === 'if') return [...code.arms.flatMap(arm => refreshesOf(arm.body, text, outer, catalog)), ...refreshesOf(code.otherwise, text, outer, catalog)];
    return code.kind === 'loop' || code.kind === 'block' ? refreshesOf(code.body, text, outer, catalog) : [];
  });
}

/** Emptied, the view refuses CONCURRENTLY with 0A000. */
export function emptiedRefuses(name: Name): Experiment {
  return {
    at: 'after', isolation: 'savepoint',
    run: async lab => {
      const emptied = await lab.run(`REFRESH MATERIALIZED VIEW ${qualified(name)} WITH NO DATA`);
      if (failed(emptied)) return unproven(`The view could not be emptied: ${emptied.message}.`);
      const sql = `REFRESH MATERIALIZED VIEW CONCURRENTLY ${qualified(name)}`;
      const answer = await lab.run(sql);
      if (!failed(answer)) return unlessBlind({ kind: 'refuted', says: `CONCURRENTLY refreshes ${quote(name)} without data.` }, () => canRefuse(lab, unpopulated, sql));
      return answer.sqlstate === unpopulated ? { kind: 'confirmed', says: `Without data, CONCURRENTLY is refused with ${unpopulated}: ${answer.message}.` }
        : unproven(`CONCURRENTLY is refused for another reason: ${answer.message}.`);
    },
  };
}
