import type { Known, ObjectId, Volatility } from '../../model.ts';
import { isUnknown, unknown } from '../scope.ts';
import { routineSignature } from '../signatures.ts';
import type { Types } from '../sql-type.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Use } from '../uses.ts';

/** What the catalogs say of a use. */
export interface Stability {
  readonly volatility: Known<Volatility>;
  readonly strict: Known<boolean>;
  readonly routine?: ObjectId;
}

const order: readonly Volatility[] = ['immutable', 'stable', 'volatile'];
const worse = (a: Volatility, b: Volatility): Volatility => (order.indexOf(a) < order.indexOf(b) ? b : a);
const still: Stability = { volatility: 'immutable', strict: true };

/** Volatility and strictness of what a use calls: pg_proc of the function itself, or of both ends of a conversion through text. */
export function stabilityOfUse(use: Use, types: Types, around: Surroundings): Stability {
  switch (use.kind) {
    case 'relabel': case 'domain': case 'array':
      return still;
    case 'io': {
      // CoerceViaIO: the output function of the one type and the input function of the other (contain_mutable_functions).
      const [from, to] = [use.from === undefined ? undefined : typeNamed(types, use.from), typeNamed(types, use.target)];
      return { volatility: from === undefined || to === undefined ? unknown(`the conversion to ${use.target}`)
        : worse(from.output, to.input), strict: true };
    }
    case 'unresolved': {
      const what = unknown(/^\w/.test(use.target) ? `which function ${use.target}() is` : `which operator ${use.target} is`);
      return { volatility: what, strict: what };
    }
    default:
      return use.kind !== 'operator' && use.kind !== 'row comparison' && use.routine !== undefined ? ofRoutine(use.routine, types, around)
        : ofBuiltin(use.name, use.arguments, types);
  }
}

function typeNamed(types: Types, key: string): { readonly input: Volatility; readonly output: Volatility } | undefined {
  // A row type's key is its relation's name; record_out and record_in are stable.
  if (key.startsWith('row ')) return { input: 'stable', output: 'stable' };
  return types.named(key);
}

function ofRoutine(id: ObjectId, types: Types, around: Surroundings): Stability {
  const object = around.get(id);
  if (object?.kind !== 'routine') return { volatility: unknown('the routine'), strict: unknown('the routine') };
  // CREATE AGGREGATE makes an immutable row in pg_proc, whatever its functions are (AggregateCreate in pg_aggregate.c).
  if (object.form === 'aggregate') return { volatility: 'immutable', strict: false, routine: id };
  const strict = routineSignature(object, types)?.strict;
  return { volatility: object.volatility, strict: strict === undefined || isUnknown(strict) ? unknown('whether it is strict') : strict,
    routine: id };
}

function ofBuiltin(name: string, args: readonly string[], types: Types): Stability {
  const wanted = args.join();
  const row = types.builtins.functions(name).find(candidate => candidate.arguments.join() === wanted);
  if (row === undefined) return { volatility: unknown(`the function ${name}`), strict: unknown(`the function ${name}`) };
  return { volatility: row.volatility, strict: row.strict };
}
