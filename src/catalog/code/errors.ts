import { conditionStates } from '../../builtins/conditions.ts';
import type { Refusal, Span } from '../../model.ts';
import type { Piece } from '../../sql/plpgsql.ts';
import { sliceText, textStatement, type Text } from '../../sql/text.ts';

/** The SQLSTATEs that a condition names; one that is no name is a SQLSTATE itself. */
function statesOf(condition: string): readonly string[] {
  return Object.hasOwn(conditionStates, condition) ? (conditionStates[condition] ?? '').split(' ') : [condition.toUpperCase()];
}

/**
 * Whether a condition of EXCEPTION WHEN stands for a SQLSTATE: OTHERS for all but a cancelled query and a failed assertion, a state that ends
 * in 000 for its whole class (exception_matches_conditions in pl_exec.c).
 */
export function catches(condition: string, sqlstate: string): boolean {
  if (condition === 'others') return sqlstate !== '57014' && sqlstate !== 'P0004';
  return statesOf(condition).some(state => state === sqlstate || (state.endsWith('000') && state.slice(0, 2) === sqlstate.slice(0, 2)));
}

/** Errors that the catalog alone decides, so that the replay foresees them: class 42, 2BP01, 0A000, 55000 and missing schemas. `others` is more than that. */
export function decidedByCatalog(condition: string): boolean {
  if (condition === 'others') return false;
  return statesOf(condition).every(state => state.startsWith('42') || ['2BP01', '0A000', '55000', '3F000'].includes(state));
}

/** RAISE of an error, with the SQLSTATE that it names. */
export function raised(body: Text, piece: Piece): Refusal {
  const text = body.text.slice(piece.start, piece.end);
  const [, named] = /\b(?:errcode\s*:?=\s*|sqlstate\s+)'(\w+)'/i.exec(text) ?? /\braise\s+(?:exception\s+)?(\w+)\s*(?:;|using\b)/i.exec(text) ?? [];
  const [state = ''] = named === undefined ? [] : statesOf(named.toLowerCase());
  const { span } = textStatement(sliceText(body, piece.start, piece.end), emptySpan);
  return { sqlstate: /^[0-9A-Z]{5}$/.test(state) ? state : 'P0001', because: 'this code raises an error', evidence: [{ span, says: 'raises an error' }] };
}
const emptySpan: Span = { path: '', start: 0, end: 0 };
