import type { Span, Taint } from '../model.ts';
import { nameEnd, nodeEnd, sourceSpan } from '../sql/span.ts';
import type { Node, RangeVar, SelectStmt } from '../sql/tree.ts';
import { passOn } from './from.ts';
import { unionTaints, type CteList, type Env, type Flow, type Run } from './scope.ts';

/** The taints of a condition that chooses rows. Sums of floating-point numbers differ in their last digits, which seldom decides. */
export function chosenBy(taints: readonly Taint[] | undefined): readonly Taint[] {
  return (taints ?? []).filter(taint => taint.form !== 'float').map(taint => {
    const { decides: _, ...rest } = taint as Flow;
    return rest;
  });
}

/** The same, at the condition: what comes from another statement gets a place in this one. */
export function chosenAt(node: Node | undefined, run: Run): readonly Taint[] {
  const taints = node === undefined ? [] : chosenBy(run.notes?.taints.get(node));
  const { span: own } = run.statement;
  return taints.map(taint => {
    const { span } = taint.path.at(-1)!;
    if (span.path === own.path && span.start >= own.start && span.end <= own.end) return taint;
    const start = leftmost(node!);
    return passOn(taint, sourceSpan(run.statement, start, nodeEnd(run.statement.sql, start)), 'the condition that chooses rows');
  });
}

/** Where an expression begins: its own location may be that of its operator. */
function leftmost(node: Node, depth = 0): number {
  const inner = Object.values(node)[0] as { readonly location?: number; readonly lexpr?: Node; readonly arg?: Node; readonly args?: readonly Node[] };
  const first = 'A_Expr' in node ? inner.lexpr : 'BoolExpr' in node ? inner.args?.[0] : 'TypeCast' in node || 'NullTest' in node ? inner.arg : undefined;
  return first === undefined || depth > 100 ? inner.location ?? 0 : leftmost(first, depth + 1);
}

/** What the choice of rows brings into a value that is made of all of them: a count moves with the clock, but it is no reading of it. */
export function ofRows(rows: readonly Taint[]): readonly Taint[] {
  return rows.map((taint): Flow => (taint.cause === 'clock' ? { ...taint, decides: true } : taint));
}

/** What FROM brings into the row set: sampling, conditions of joins, and the rows of what it reads. `analyze` has been through it. */
export function rowsOfFrom(nodes: readonly Node[] | undefined, run: Run, env: Env): readonly Taint[] {
  const found: (readonly Taint[])[] = [];
  const todo = [...nodes ?? []];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if ('JoinExpr' in node) {
      const { larg, rarg, quals } = node.JoinExpr;
      for (const side of [larg, rarg]) if (side !== undefined) todo.push(side);
      if (quals !== undefined) found.push(chosenAt(quals, run));
    } else if ('RangeSubselect' in node) {
      const query = node.RangeSubselect.subquery;
      if (query !== undefined && 'SelectStmt' in query) found.push(run.notes?.shapes.get(query.SelectStmt)?.rows ?? []);
    } else if ('RangeTableSample' in node) {
      const { relation, repeatable, location } = node.RangeTableSample;
      if (relation !== undefined) todo.push(relation);
      found.push([sample(run, location ?? 0, repeatable !== undefined)]);
    } else if ('RangeFunction' in node) {
      for (const item of node.RangeFunction.functions ?? []) found.push(ofFunctionItem(item, run));
    } else if ('RangeVar' in node) found.push(ofRelation(node.RangeVar, run, env));
  }
  return unionTaints(...found);
}

/** TABLESAMPLE chooses anew each time; with REPEATABLE it chooses by the place of the rows (measured, facts C1, C2). */
function sample(run: Run, start: number, isRepeatable: boolean): Taint {
  const span = sourceSpan(run.statement, start, nodeEnd(run.statement.sql, start));
  return isRepeatable
    ? { cause: 'physical', flips: 'when rows move', path: [{ span, says: 'TABLESAMPLE … REPEATABLE chooses rows by where they stand' }] }
    : { cause: 'random', flips: 'each refresh', path: [{ span, says: 'TABLESAMPLE chooses other rows in every refresh' }] };
}

/** A series that runs to the current day has one row more tomorrow; a routine's rows are what its body chooses. */
function ofFunctionItem(item: Node, run: Run): readonly Taint[] {
  const expression = 'List' in item ? item.List.items?.[0] : item;
  if (expression === undefined || !('FuncCall' in expression)) return [];
  const { args } = expression.FuncCall;
  return unionTaints(run.notes?.shapes.get(expression.FuncCall)?.rows ?? [],
    ...(args ?? []).map(arg => chosenBy(run.notes?.taints.get(arg)).filter(taint => taint.cause !== 'session')));
}

export function cteNamed(list: CteList | undefined, name: string): CteList | undefined {
  for (let at = list; at !== undefined; at = at.next) if (at.name === name) return at;
  return undefined;
}

function ofRelation(range: RangeVar, run: Run, env: Env): readonly Taint[] {
  const { relname: name = '', schemaname: schema, location: start = 0 } = range;
  const cte = schema === undefined ? cteNamed(env.ctes, name) : undefined;
  const span: Span = sourceSpan(run.statement, start, nameEnd(run.statement.sql, start));
  if (cte !== undefined) return (cte.shape.rows ?? []).map(taint => passOn(taint, span, `rows of CTE ${name}`));
  const found = run.relation({ ...(schema === undefined ? {} : { schema }), name }, span);
  if (found.is !== 'present' || (found.object.kind !== 'view' && found.object.kind !== 'matview')) return [];
  const kind = found.object.kind;
  return (run.viewFacts?.(found.object).rows ?? []).map(taint =>
    passOn(taint, span, `rows of ${kind === 'view' ? 'view' : 'materialized view'} ${name}`));
}

/** Whether FROM is one sub-select, or CTE, whose rows come in order. */
export function comesOrdered(select: SelectStmt, run: Run, env: Env): boolean {
  const [only, ...others] = select.fromClause ?? [];
  if (only === undefined || others.length > 0) return false;
  if ('RangeSubselect' in only) {
    const query = only.RangeSubselect.subquery;
    return query !== undefined && 'SelectStmt' in query && run.notes?.shapes.get(query.SelectStmt)?.ordered === true;
  }
  return 'RangeVar' in only && only.RangeVar.schemaname === undefined && cteNamed(env.ctes, only.RangeVar.relname ?? '')?.shape.ordered === true;
}
