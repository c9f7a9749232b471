/** What a query's functions, operators and conversions mean to pg_trickle (facts §2, head, and §2.4). */
import type { Catalog, Evidence, Known, Volatility } from '../../model.ts';
import type { FuncCall } from '../../sql/tree.ts';
import { strings } from '../names.ts';
import { isUnknown } from '../scope.ts';
import type { Inspected, Missing, PlacedUse } from './inspected.ts';
import type { Inlined, Piece } from './pieces.ts';
import type { Findings } from './pg-trickle.ts';
import type { Ruling } from './rulings.ts';

/** The last version whose rule is the old one, and the first whose rule is the new one, as minors. */
const [lastOld, firstNew] = [67, 83];

/**
 * From 0.83 on: resolved functions, operators and casts at every level, with both functions of a conversion through text, and the
 * defaults of
 * left-out arguments; STABLE and VOLATILE are FULL-only. Not looked at: what an aggregate's own row says, and enums as text.
 * In 0.67: functions by their bare name, the worst overload, no casts; STABLE is a warning, VOLATILE is refused under AUTO too.
 */
export function volatilityRulings(query: Inlined, minor: number, catalog: Catalog): Findings {
  const rulings: Ruling[] = [];
  const missing: Missing[] = [];
  for (const piece of query.pieces) {
    const uses = minor >= firstNew ? [...piece.made.uses, ...piece.made.defaults] : piece.made.uses;
    for (const use of uses) {
      const volatility = minor >= firstNew ? resolved(use, piece.made) : byName(use, piece.made, catalog);
      if (volatility === undefined || volatility === 'immutable') continue;
      if (isUnknown(volatility)) missing.push({ what: volatility.unknown, span: placeOf(piece, use).span });
      else if (minor > lastOld && minor < firstNew) missing.push({ what: `the rule of volatility of this version of pg_trickle, which changed between 0.67 and 0.83`, span: placeOf(piece, use).span });
      else rulings.push(minor >= firstNew ? ofNew(piece, use, volatility) : ofOld(piece, use, volatility));
    }
  }
  return { rulings: oncePerPlace(rulings), missing };
}

/** One place is told once, by the worst that stands there. */
function oncePerPlace(rulings: readonly Ruling[]): readonly Ruling[] {
  const seen = new Map<string, Ruling>();
  for (const ruling of rulings) {
    const key = JSON.stringify(ruling.evidence);
    const other = seen.get(key);
    if (other === undefined || (other.code === 'stable-expression' && ruling.code === 'volatile-expression')) seen.set(key, ruling);
  }
  return [...seen.values()];
}

function resolved(use: PlacedUse, made: Inspected): Known<Volatility> | undefined {
  if (use.kind === 'aggregate') return undefined;
  const io = use.use?.kind === 'io' ? use.use : undefined;
  const isEnum = (key: string | undefined): boolean => key !== undefined && !key.startsWith('row ')
    && made.types.named(key).kind === 'enum';
  return io !== undefined && (isEnum(io.from) || isEnum(io.target)) ? undefined : use.volatility;
}

const order: readonly Volatility[] = ['immutable', 'stable', 'volatile'];

/** The worst overload of a function's bare name, in whatever schema. */
function byName(use: PlacedUse, made: Inspected, catalog: Catalog): Known<Volatility> | undefined {
  if (use.kind === 'keyword') return use.volatility;
  const call = 'FuncCall' in use.node ? use.node.FuncCall as FuncCall : use.node as FuncCall;
  if (!['function', 'window', 'unresolved'].includes(use.kind) || call.funcname === undefined) return undefined;
  const name = strings(call.funcname).at(-1) ?? '';
  const own = [...catalog.objects()].flatMap(object => (object.kind === 'routine' && object.name.name === name ? [object.volatility] : []));
  const unknown = own.find(isUnknown);
  const known: readonly Volatility[] = [...made.types.builtins.functions(name).map(row => row.volatility),
    ...own.filter((one): one is Volatility => !isUnknown(one))];
  if (known.includes('volatile')) return 'volatile';
  if (unknown !== undefined || known.length === 0) return unknown ?? { unknown: `which function ${name}() is` };
  return known.toSorted((a, b) => order.indexOf(b) - order.indexOf(a))[0];
}

/** The place in the query itself where a use counts. */
function placeOf(piece: Piece, use: PlacedUse): Evidence {
  return piece.way.at(-1) ?? { span: piece.made.spanOf(use.node), says: use.says };
}

function evidenceOf(piece: Piece, use: PlacedUse, volatility: Volatility): Ruling['evidence'] {
  const own: Evidence = { span: use.span, says: `${use.says} is ${volatility}` };
  const call = piece.made.spanOf(use.node);
  const elsewhere = call.path !== use.span.path || call.start > use.span.start || call.end < use.span.end;
  return [own, ...elsewhere ? [{ span: call, says: 'the call that leaves the argument out' }] : [], ...piece.way];
}

function ofNew(piece: Piece, use: PlacedUse, volatility: Volatility): Ruling {
  const isStable = volatility === 'stable';
  return {
    code: isStable ? 'stable-expression' : 'volatile-expression', bar: 'incremental modes', step: 12, message: isStable
      ? 'DVM-81-6-STABLE' : 'DVM-81-6-VOLATILE',
    says: `${use.says} is ${volatility}, so that the query is computed anew at each refresh`, evidence: evidenceOf(piece, use, volatility),
  };
}

function ofOld(piece: Piece, use: PlacedUse, volatility: Volatility): Ruling {
  const isStable = volatility === 'stable';
  return {
    code: isStable ? 'stable-expression' : 'volatile-expression', bar: isStable ? 'nothing' : 'all but FULL', step: 12,
    says: isStable ? `${use.says} is stable, which pg_trickle warns of`
      : `${use.says} is volatile, which is refused unless pg_trickle.volatile_function_policy allows it`,
    evidence: evidenceOf(piece, use, volatility),
  };
}
