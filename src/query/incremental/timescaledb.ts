/**
 * What TimescaleDB says of the query of a continuous aggregate (facts §4: its documentation, and tsl/src/continuous_aggs/common.c of the
 * line
 * 2.10 to 2.12). No server of ours has it. Joins were widened after that line, so of later versions nothing is claimed about them.
 */
import type { Catalog, Eligibility, Evidence, Table } from '../../model.ts';
import type { FuncCall, Node } from '../../sql/tree.ts';
import { strings } from '../names.ts';
import { isUnknown } from '../scope.ts';
import { inspect, isNoQuery } from './inspect.ts';
import type { Block, Inspected, Missing, RangeEntry, Subject } from './inspected.ts';
import { decide, type Ruling } from './rulings.ts';
import { eachPart } from './tree-walk.ts';

export interface TimescaleOptions {
  /** `2.11`; where it is not said, only what holds for every version is claimed. */
  readonly version?: string;
}

/** The last minor of the line whose source was read. */
const lastRead = 12;

interface Look {
  readonly made: Inspected;
  readonly catalog: Catalog;
  readonly minor: number | undefined;
  readonly rulings: Ruling[];
  readonly missing: Missing[];
}

function refuse(look: Look, node: object, step: number, code: string, says: string, evidence: readonly Evidence[] = []): void {
  look.rulings.push({ code, bar: 'every mode', step, says, evidence: [...evidence, { span: look.made.spanOf(node),
    says: 'here' }] as unknown as Ruling['evidence'] });
}

/** Whether TimescaleDB takes the query for a continuous aggregate, and everything that stands in the way, in the order of its checks. */
export function timescaleEligibility(subject: Subject, catalog: Catalog, options: TimescaleOptions = {}): Eligibility {
  const version = options.version ?? catalog.engineVersions?.timescaledb;
  const made = inspect(subject, catalog);
  if (isNoQuery(made)) {
    const evidence = [{ span: made.span, says: made.because }] as const;
    return { engine: 'timescaledb', is: 'refused', hazards: [], obstacles: [{ code: 'no-query',
      says: `it is not read as a query: ${made.because}`, evidence }] };
  }
  const minor = version === undefined ? undefined : Number(version.split('.')[1] ?? '0') + (version.startsWith('2') ? 0 : 1000);
  const look: Look = { made, catalog, minor, rulings: [], missing: [] };
  shape(look);
  if (made.root.form === 'select') {
    sources(look);
    buckets(look);
    functions(look);
  }
  const missing = [...look.missing, ...made.missing.filter(({ span }) => !ofBucket(look, span))];
  const answer = decide('timescaledb', look.rulings, missing, 'DIFFERENTIAL', false);
  if (answer.is !== 'eligible') return answer;
  const { mode: _, ...rest } = answer;
  return rest;
}

/** The shape of the whole query, in the order of the source. */
function shape(look: Look): void {
  const { made } = look;
  const { root } = made;
  const { select } = root;
  const isSet = root.form === 'set operation';
  if (!isSet && (select.fromClause ?? []).length === 0) refuse(look, select, 1, 'no-from',
    'a continuous aggregate reads a hypertable, and this query has no FROM');
  const [over] = root.windowCalls;
  if (over !== undefined) refuse(look, over, 2, 'window', 'window functions are refused');
  if (select.distinctClause !== undefined) refuse(look, select, 3, 'distinct', 'DISTINCT is refused');
  const limit = select.limitCount ?? select.limitOffset;
  if (limit !== undefined) refuse(look, limit, 4, 'limit', 'LIMIT and OFFSET are refused');
  const [cte] = root.ctes;
  if (cte !== undefined) refuse(look, cte.node, 6, 'cte', `WITH is refused, and ${cte.name} stands in one`);
  const link = made.blocks.find(block => block.role === 'sublink');
  if (link !== undefined) refuse(look, link.select, 6, 'sub-query', 'sub-queries in expressions are refused');
  const [lock] = select.lockingClause ?? [];
  if (lock !== undefined) refuse(look, lock, 7, 'row-lock', 'FOR UPDATE and FOR SHARE are refused');
  const set = (select.groupClause ?? []).find(item => 'GroupingSet' in item);
  if (set !== undefined) refuse(look, set, 9, 'grouping-sets', 'GROUPING SETS, ROLLUP and CUBE are refused');
  if (isSet) refuse(look, select, 10, 'set-operation', 'UNION, INTERSECT and EXCEPT are refused');
  if (!isSet && (select.groupClause ?? []).length === 0) refuse(look, select, 11, 'no-group-by',
    'GROUP BY is required, with a time_bucket in it');
}

const maximumOne = 'It reads at most one hypertable or continuous aggregate';

/** FROM: one hypertable or one continuous aggregate; what may stand beside it depends on the version. */
function sources(look: Look): void {
  const { made } = look;
  const main: RangeEntry[] = [];
  const beside: RangeEntry[] = [];
  for (const entry of made.root.range) {
    const { relation } = entry;
    if (entry.kind === 'join') continue;
    if (entry.sampled) refuse(look, entry.node, 12, 'tablesample', 'TABLESAMPLE is refused');
    if (entry.kind === 'sub-select' || entry.kind === 'function' || entry.kind === 'values' || entry.kind === 'table function')
      refuse(look, entry.node, 12, 'from-item', entry.lateral ? 'LATERAL is refused in FROM'
        : 'sub-queries and functions are refused in FROM');
    else if (relation?.kind === 'view') refuse(look, entry.node, 12, 'view',
      `${relation.name.name} is a plain view, and views are refused as sources`);
    else if (relation?.kind === 'matview' && relation.maintenance === undefined)
      refuse(look, entry.node, 12, 'matview', `${relation.name.name} is a materialized view and no continuous aggregate`);
    else if (relation?.kind === 'matview') main.push(entry);
    else if (relation?.kind === 'table' && relation.hypertable !== undefined) main.push(entry);
    else if (relation?.kind === 'table') beside.push(entry);
    if (relation?.kind === 'table' && saysOnly(entry.node))
      refuse(look, entry.node, 12, 'only', 'ONLY is refused');
    if (relation?.kind === 'table' && relation.rowSecurity)
      refuse(look, entry.node, 8, 'row-security', `${relation.name.name} has row security`);
  }
  noteHypertables(look, main, beside);
  const [, second] = main;
  if (second !== undefined) refuse(look, second.node, 12, 'several-hypertables', `${maximumOne}, and ${second.name} is a second one`);
  joins(look, beside, main.length > 0);
}

/** The tree leaves `inh` out where ONLY stands. */
function saysOnly(node: object): boolean {
  const range = ('RangeVar' in node ? node.RangeVar : node) as { readonly relname?: string; readonly inh?: boolean };
  return range.relname !== undefined && range.inh !== true;
}

/** Whether something that it reads is a hypertable; a history that does not show create_hypertable says nothing in an open world. */
function noteHypertables(look: Look, main: readonly RangeEntry[], beside: readonly RangeEntry[]): void {
  if (main.length > 0) return;
  const [first] = beside;
  if (first === undefined) return;
  const table = first.relation as Table;
  if (look.catalog.world === 'closed')
    refuse(look, first.node, 12, 'no-hypertable', `${table.name.name} is no hypertable`, table.madeAt ? [{ span: table.madeAt,
      says: `${table.name.name} is made here` }] : []);
  else look.missing.push({ what: `whether ${table.name.name} is a hypertable`, span: first.span });
}

/** One ordinary table by an inner join on one equality, in the line up to 2.12; later lines take more, which no fact lists. */
function joins(look: Look, beside: readonly RangeEntry[], hasMain: boolean): void {
  const { root } = look.made;
  const joined = root.range.filter(({ kind }) => kind === 'join');
  if (!hasMain || (beside.length === 0 && joined.length === 0)) return;
  const [first] = beside;
  if (look.minor === undefined || look.minor > lastRead) {
    look.missing.push({ what: 'which joins this version of TimescaleDB takes', span: (first ?? joined[0])!.span });
    return;
  }
  const [, extra] = beside;
  if (extra !== undefined) refuse(look, extra.node, 12, 'join', 'up to 2.12 one ordinary table may be joined, and this is a second one');
  for (const { join, node } of joined)
    if (join !== undefined && join.kind !== 'inner') refuse(look, node, 12, 'join', 'up to 2.12 only an inner join is taken');
    else if (join?.on !== undefined && !isEquality(join.on)) refuse(look, join.on, 12, 'join',
      'up to 2.12 a join has one equality for its condition');
}

const isEquality = (node: Node): boolean => 'A_Expr' in node && strings(node.A_Expr.name).at(-1) === '=';

const bucketName = (node: FuncCall): string | undefined => {
  const name = strings(node.funcname).at(-1);
  return name === 'time_bucket' || name === 'time_bucket_gapfill' || name === 'time_bucket_ng' ? name : undefined;
};

interface Bucket {
  readonly call: FuncCall;
  readonly node: Node;
}

/** What GROUP BY groups by, ordinals and output names looked up. */
function groupedNodes(root: Block): readonly Node[] {
  return (root.select.groupClause ?? []).flatMap(item => {
    const ordinal = 'A_Const' in item ? item.A_Const.ival?.ival : undefined;
    if (ordinal !== undefined) return root.targets[ordinal - 1]?.node ?? [];
    const name = 'ColumnRef' in item && item.ColumnRef.fields?.length === 1 ? strings(item.ColumnRef.fields)[0] : undefined;
    const isColumn = name !== undefined && root.range.some(({ columns }) => columns.some(column => column.name === name));
    return name === undefined || isColumn ? item : root.targets.find(target => target.name === name)?.node ?? item;
  });
}

/** Every time_bucket in GROUP BY. */
function bucketsOf(look: Look): readonly Bucket[] {
  return groupedNodes(look.made.root).flatMap(node => ('FuncCall' in node && bucketName(node.FuncCall) !== undefined
    ? [{ call: node.FuncCall, node }] : []));
}

/** Whether a missing fact is only what time_bucket() is: mvlint has no functions of extensions, and this one is known to be immutable. */
function ofBucket(look: Look, span: Missing['span']): boolean {
  let found = false;
  eachPart(look.made.root.select, node => {
    const call = 'FuncCall' in node ? node.FuncCall as FuncCall : undefined;
    if (call === undefined || bucketName(call) === undefined) return;
    const own = look.made.spanOf(node);
    found ||= own.path === span.path && own.start <= span.start && span.end <= own.end;
  });
  return found;
}

/** GROUP BY holds exactly one time_bucket, of constant width, over the time column of the hypertable. */
function buckets(look: Look): void {
  const { made } = look;
  const found = bucketsOf(look);
  const [first, second] = found;
  const [group] = made.root.select.groupClause ?? [];
  if (first === undefined) {
    if (group !== undefined) refuse(look, group, 13, 'no-time-bucket', 'GROUP BY has no time_bucket() of the hypertable’s time column');
    return;
  }
  if (second !== undefined) refuse(look, second.node, 13, 'several-time-buckets', 'GROUP BY has more than one time_bucket()');
  const name = bucketName(first.call);
  if (name === 'time_bucket_gapfill') refuse(look, first.node, 13, 'no-time-bucket',
    'time_bucket_gapfill() does not serve: the bucket has to be a time_bucket()');
  const [width, time] = first.call.args ?? [];
  if (width !== undefined && !isConstant(width)) refuse(look, width, 13, 'bucket-width', 'the width of the bucket has to be a constant');
  timeColumn(look, time);
}

function isConstant(node: Node): boolean {
  if ('A_Const' in node) return true;
  return 'TypeCast' in node && node.TypeCast.arg !== undefined && isConstant(node.TypeCast.arg);
}

function timeColumn(look: Look, node: Node | undefined): void {
  if (node === undefined) return;
  const meaning = 'ColumnRef' in node ? look.made.meaningOf(node.ColumnRef) : undefined;
  const entry = meaning?.is === 'column' ? meaning.entry : undefined;
  const hypertable = entry?.relation?.kind === 'table' ? entry.relation.hypertable : undefined;
  if (hypertable === undefined || meaning?.is !== 'column') {
    if (meaning === undefined) refuse(look, node, 13, 'bucket-column',
      'the bucket has to be taken of the time column itself, not of an expression');
    return;
  }
  if (isUnknown(hypertable)) look.missing.push({ what: hypertable.unknown, span: look.made.spanOf(node) });
  else if (hypertable !== meaning.column.name)
    refuse(look, node, 13, 'bucket-column',
      `the bucket is taken of ${meaning.column.name}, and the hypertable’s time column is ${hypertable}`);
}

/** All functions in the select list, GROUP BY and HAVING are immutable (documentation); what WHERE calls is not judged. */
function functions(look: Look): void {
  const { made } = look;
  const { select } = made.root;
  const inside = new Set<object>();
  eachPart([select.targetList, select.groupClause, select.havingClause], node => void inside.add(node));
  const told = new Set<string>();
  for (const use of made.uses) {
    if (!inside.has(use.node) || use.volatility === 'immutable' || isUnknown(use.volatility) || use.kind === 'aggregate') continue;
    const place = made.spanOf(use.node);
    if (told.has(`${place.start}`)) continue;
    told.add(`${place.start}`);
    look.rulings.push({ code: 'mutable-function', bar: 'every mode', step: 14,
      says: `${use.says} is ${use.volatility}, and functions of a continuous aggregate have to be immutable`,
      evidence: [{ span: use.span, says: `${use.says} is ${use.volatility}` }] });
  }
}
