import { once } from '../memo.ts';
import type { Catalog, Evidence, Routine, Taint } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { readBody } from './routine-body.ts';
import { parametersOf } from './routine-call.ts';
import { isUnknown, newId, newNotes, noDeeds, unknown, type Run, type ScopeColumn } from './scope.ts';
import { factsBeneath } from './facts.ts';
import { typesIn } from './sql-type.ts';
import { surroundingsIn } from './surroundings.ts';

/** How stable a routine's body is, whatever it is declared. */
export interface Stability {
  /** What an IMMUTABLE routine must not do, and where the body does it. */
  readonly notImmutable?: Evidence;
  /** What a STABLE one must not do either. */
  readonly notStable?: Evidence;
  /** All of the body is known, and it is STABLE at least. */
  readonly steady: boolean;
  /** The volatility is written in the statement. */
  readonly declared: boolean;
}

const knownIn = once((_: Catalog) => new Map<Routine, Stability>());

/** What the body of a routine does; where it cannot be read, `steady` is false and nothing is held against it. */
export function stabilityOf(routine: Routine, catalog: Catalog): Stability {
  const known = knownIn(catalog);
  const old = known.get(routine);
  if (old !== undefined) return old;
  const made = judged(routine, catalog);
  known.set(routine, made);
  return made;
}

function judged(routine: Routine, catalog: Catalog): Stability {
  const around = surroundingsIn(catalog);
  const deeds = noDeeds();
  const run: Run = {
    statement: routine.statement, catalog: around, relation: name => around.findRelation(name), viewFacts: factsBeneath(around), notes: newNotes([], deeds),
    reads: [], missing: [], missingColumns: [], routines: new Set(), held: new Set(), truncated: false, lastId: 0, depth: 0,
  };
  const declared = isDeclared(routine);
  if (isUnknown(routine.arguments)) return { steady: false, declared };
  const types = typesIn(around);
  const inputs = parametersOf(routine).filter(({ mode }) => mode !== 'FUNC_PARAM_OUT' && mode !== 'FUNC_PARAM_TABLE');
  const parameters = routine.arguments.map((type, at): ScopeColumn => ({
    name: inputs[at]?.name ?? `$${at + 1}`, type: types.parse(type)?.text ?? unknown(`type ${type}`), literal: false, nullable: unknown('an argument'),
    ids: [newId(run)], uses: [], taints: [],
  }));
  const shape = readBody({ routine, parameters, run });
  const [write] = deeds.writes;
  const origins = deeds.origins.filter(taint => taint.cause !== 'order' && !isPinned(taint, routine));
  const volatile = origins.find(isVolatile);
  const [read] = deeds.reads;
  const notStable = write !== undefined ? { span: write, says: 'this statement writes' } : volatile?.path[0];
  const notImmutable = notStable ?? origins[0]?.path[0]
    ?? (read === undefined ? undefined : { span: read.span, says: 'this table is read, and its rows change' });
  return {
    ...(notImmutable === undefined ? {} : { notImmutable }), ...(notStable === undefined ? {} : { notStable }), declared,
    steady: shape !== undefined && notStable === undefined && !deeds.opaque && !deeds.volatile,
  };
}

/** A SET clause of the routine fixes the setting for its body. */
const isPinned = ({ setting }: Taint, routine: Routine): boolean => setting !== undefined && routine.settings.has(setting.toLowerCase());

/** What differs within one statement: Postgres holds these functions to be volatile (facts G). now() stands still in it. */
function isVolatile({ cause, path: [{ says }] }: Taint): boolean {
  return cause === 'random' || cause === 'sequence' || (cause === 'clock' && /^(pg_catalog\.)?(clock_timestamp|timeofday)\b/i.test(says));
}

function isDeclared(routine: Routine): boolean {
  const parsed = parse(routine.statement.sql);
  return parsed.ok && 'CreateFunctionStmt' in parsed.node
    && (parsed.node.CreateFunctionStmt.options ?? []).some(item => 'DefElem' in item && item.DefElem.defname === 'volatility');
}
