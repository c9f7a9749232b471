import type { Catalog, Found, Query, Relation, Span, Statement, Volatility } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { nameEnd, nodeEnd, sourceSpan, targetEnd } from '../../sql/span.ts';
import type { FuncCall, Node, SelectStmt } from '../../sql/tree.ts';
import type { Called } from '../call.ts';
import { placeIn, value } from '../expression.ts';
import { newInspection, type Inspection } from '../inspection.ts';
import { strings } from '../names.ts';
import { outerScope } from '../routine-body.ts';
import { parametersOf } from '../routine-call.ts';
import { envWithin, isUnknown, outermost, type Run } from '../scope.ts';
import { analyze } from '../select.ts';
import { surroundingsIn, type Surroundings } from '../surroundings.ts';
import { typesIn, type Types } from '../sql-type.ts';
import { typeOfValue } from '../types.ts';
import type { Use } from '../uses.ts';
import { assignCalls, layOut } from './blocks.ts';
import type { ColumnMeaning, Inspected, Missing, PlacedUse, Subject } from './inspected.ts';
import { jsonUse } from './json-volatility.ts';
import { eachPart, kindOf } from './tree-walk.ts';
import { stabilityOfUse } from './volatility.ts';
import { useText } from './words.ts';

/** Why a text is no query: what the parser says, or which other statement it is. */
export interface NoQuery {
  readonly because: string;
  readonly span: Span;
}

/** Whether it is a reason instead of a query. */
export const isNoQuery = (made: Inspected | NoQuery): made is NoQuery => 'because' in made;

/**
 * The analysed query of a view of the catalog, or of a text that Postgres would analyse now. Never throws for what
 * is written; what cannot be known stands in `missing`.
 */
export function inspect(subject: Subject, catalog: Catalog): Inspected | NoQuery {
  const query: Query | undefined = 'query' in subject ? subject.query : undefined;
  const statement: Statement = query?.statement ?? (subject as Statement);
  const parsed = parse(statement.sql);
  if (!parsed.ok) return { because: parsed.message, span: sourceSpan(statement, parsed.at, parsed.at) };
  const select = queryNode(parsed.node);
  if (select === undefined) return { because: 'it is no SELECT', span: statement.span };
  return new Inspector(statement, catalog, query).inspect(select);
}

/** The query of a statement: of CREATE … AS, or the statement itself. */
export function queryNode(node: Node): SelectStmt | undefined {
  const inner = 'CreateTableAsStmt' in node ? node.CreateTableAsStmt.query : 'ViewStmt' in node ? node.ViewStmt.query : node;
  return inner !== undefined && 'SelectStmt' in inner ? inner.SelectStmt : undefined;
}

/** Kinds of expressions that have a type; other parts of the grammar (a sort key, a window) have none. */
const typed = new Set(['ColumnRef', 'FuncCall', 'A_Expr', 'TypeCast', 'CaseExpr', 'CoalesceExpr', 'MinMaxExpr', 'SubLink', 'A_ArrayExpr',
  'A_Indirection', 'CollateClause',
  'XmlExpr', 'XmlSerialize', 'JsonFuncExpr', 'JsonScalarExpr', 'JsonParseExpr', 'JsonSerializeExpr', 'JsonObjectConstructor',
    'JsonArrayConstructor',
  'JsonArrayQueryConstructor', 'JsonArrayAgg', 'JsonObjectAgg', 'ParamRef', 'SQLValueFunction']);

/** A fact with what it is a consequence of (a relation that is not known takes its columns along), and its place in the statement. */
interface MissingAt extends Missing {
  readonly rank: number;
  readonly start: number;
}

class Inspector {
  readonly #statement: Statement;
  readonly #catalog: Catalog;
  readonly #query: Query | undefined;
  readonly #around: Surroundings;
  readonly #types: Types;
  readonly #seen: Inspection = newInspection();
  readonly #uses: Use[] = [];

  constructor(statement: Statement, catalog: Catalog, query: Query | undefined) {
    this.#statement = statement;
    this.#catalog = catalog;
    this.#query = query;
    this.#around = surroundingsIn(catalog);
    this.#types = typesIn(this.#around);
  }

  inspect(select: SelectStmt): Inspected {
    const seen = this.#seen;
    const run = this.#run(this.#statement, seen, this.#uses);
    analyze({ SelectStmt: select }, run, outermost);
    const spanOf = (node: object): Span => this.#spanOf(node);
    const itemSpan = (start: number): Span => sourceSpan(this.#statement, start, targetEnd(this.#statement.sql, start));
    // What is nested too deep was not looked at, and is not laid out either.
    const layout = layOut(run.truncated ? { targetList: [] } : select, seen, this.#types, spanOf, itemSpan);
    assignCalls(layout, seen, call => isAggregateCall(seen.calls.get(call)));
    const meaningOf = (column: object): ColumnMeaning => {
      const found = seen.columns.get(column);
      if (found?.is === 'column') return layout.meanings.get(found.column) ?? { is: 'unknown' };
      const entry = found?.is === 'system' || found?.is === 'row' ? layout.entries.get(found.entry) : undefined;
      if (entry === undefined) return { is: 'unknown' };
      return found!.is === 'system' ? { is: 'system', entry, name: (found as { readonly name: string }).name } : { is: 'row', entry };
    };
    return {
      statement: this.#statement, root: layout.root, blocks: layout.blocks, uses: [...this.#placed(this.#uses, seen.places),
        ...this.#keywords()], defaults: this.#defaults(),
      missing: this.#missing(run), types: this.#types, meaningOf, spanOf, columnMeaning: column => layout.meanings.get(column)
        ?? { is: 'unknown' },
      blockOf: node => layout.blockOf.get(node), callOf: call => seen.calls.get(call), valueOf: node => seen.values.get(node),
      typeOf: node => {
        const known = seen.values.get(node);
        return known === undefined ? undefined : typeOfValue(known, this.#types);
      },
    };
  }

  #run(statement: Statement, inspection: Inspection, uses: Use[]): Run {
    return {
      statement, catalog: this.#around, relation: (name, span) => this.#bound(span) ?? this.#find(name), reads: [], missing: [],
        missingColumns: [],
      routines: new Set(), held: new Set(), uses, inspection, truncated: false, lastId: 0, depth: 0,
    };
  }

  /** The relation that a view was bound to when it was made, whatever it is called now. */
  #bound(span: Span): Found<Relation> | undefined {
    const read = this.#query?.reads.find(({ span: own }) => own.path === span.path && own.start === span.start && own.end === span.end);
    const object = read === undefined ? undefined : this.#catalog.get(read.id);
    return object !== undefined && 'name' in object && (object.kind === 'table' || object.kind === 'view' || object.kind === 'matview'
      || object.kind === 'sequence')
      ? { is: 'present', object } : undefined;
  }

  #find(name: Parameters<Run['relation']>[0]): Found<Relation> {
    const found = this.#query === undefined ? this.#catalog.find(name) : this.#catalog.find(name, this.#query.searchPath);
    return found.is === 'present' && !this.#catalog.isCertain(found.object.id) ? { is: 'unknown' } : found;
  }

  #placed(uses: readonly Use[], places: ReadonlyMap<Use, object>, at?: Span): PlacedUse[] {
    return uses.map(use => {
      const node = places.get(use) ?? this.#statement;
      return { kind: use.kind, use, says: useText(use, this.#types), ...stabilityOfUse(use, this.#types, this.#around), span: at
        ?? this.#spanOf(node), node };
    });
  }

  /** What no function stands for: CURRENT_DATE and its kin, JSON's constructors. */
  #keywords(): PlacedUse[] {
    const made: PlacedUse[] = [];
    for (const [node] of this.#seen.values) {
      if ('SQLValueFunction' in node) {
        const says = this.#statement.sql.slice(...this.#range(node)).toLowerCase();
        made.push({ kind: 'keyword', says, volatility: 'stable', strict: false, span: this.#spanOf(node), node });
        continue;
      }
      const use = jsonUse(node as Node, this.#seen, this.#types);
      if (use !== undefined) made.push({ ...use, kind: 'json', strict: false, span: this.#spanOf(node), node });
    }
    return made;
  }

  /** What the defaults of left-out arguments use, in the statement of the routine. */
  #defaults(): PlacedUse[] {
    const made: PlacedUse[] = [];
    for (const [call, { resolved, arguments: given }] of this.#seen.calls) {
      const id = resolved.is === 'function' ? resolved.signature.routine : undefined;
      const routine = id === undefined ? undefined : this.#around.get(id);
      if (resolved.is !== 'function' || routine?.kind !== 'routine' || given.length >= resolved.signature.arguments.length) continue;
      const inputs = parametersOf(routine).filter(({ mode }) => mode !== 'FUNC_PARAM_OUT' && mode !== 'FUNC_PARAM_TABLE');
      const names = (call as FuncCall).args?.map(arg => ('NamedArgExpr' in arg ? arg.NamedArgExpr.name : undefined)) ?? [];
      for (const [at, { name, defexpr }] of inputs.entries()) {
        const isGiven = names[at] === undefined ? at < names.length : false;
        if (defexpr === undefined || isGiven || (name !== undefined && names.includes(name))) continue;
        const uses: Use[] = [];
        const inspection = newInspection();
        const run = this.#run(routine.statement, inspection, uses);
        value(defexpr, placeIn(run, outerScope({ columns: [] }, ''), envWithin(undefined, undefined, 1)));
        const span = sourceSpan(routine.statement, ...rangeOf(routine.statement.sql, defexpr));
        made.push(...this.#placed(uses, inspection.places, span).map(use => ({ ...use, node: call })));
        for (const [node] of inspection.values) {
          if ('SQLValueFunction' in node) made.push({ kind: 'keyword', says: `the default of ${name ?? `argument ${at + 1}`}`,
            volatility: 'stable', strict: false, span, node: call });
        }
      }
    }
    return made;
  }

  #missing(run: Run): readonly Missing[] {
    const found: MissingAt[] = [];
    const whole = { span: this.#statement.span, start: 0 };
    const add = (rank: number, what: string, node: object): void => {
      const [start, end] = this.#range(node);
      found.push({ rank, what, span: sourceSpan(this.#statement, start, end), start });
    };
    if (run.truncated) found.push({ ...whole, rank: 0, what: 'what is nested deeper than mvlint reads' });
    for (const { name, span } of run.missing) {
      found.push({ rank: 1, what: `the relation ${name.schema === undefined ? '' : `${name.schema}.`}${name.name}`, span,
        start: span.start });
    }
    for (const use of this.#uses) {
      const known = use.kind === 'unresolved' ? stabilityOfUse(use, this.#types, this.#around).volatility : undefined;
      if (known !== undefined && isUnknown(known)) add(2, known.unknown, this.#seen.places.get(use) ?? this.#statement);
    }
    for (const [column, lookup] of this.#seen.columns) {
      if (lookup.is === 'undecided' || lookup.is === 'missing') add(3,
        `the column ${strings((column as { fields?: Node[] }).fields).join('.')}`, column);
      else if (lookup.is === 'column' && isUnknown(lookup.column.type)) add(3, `the type of the column ${lookup.column.name}`, column);
    }
    for (const [node, worth] of this.#seen.values) {
      if (isUnknown(worth.type) && typed.has(kindOf(node) ?? '') && !('ColumnRef' in node)) add(4, `the ${worth.type.unknown}`, node);
    }
    for (const { open } of this.#seen.selects.values()) if (open) found.push({ ...whole, rank: 5, what: 'the columns that * stands for' });
    return found.toSorted((a, b) => a.rank - b.rank || a.start - b.start).map(({ what, span }) => ({ what, span }));
  }

  #range(node: object): readonly [number, number] {
    return node === this.#statement ? [0, this.#statement.sql.length] : rangeOf(this.#statement.sql, node);
  }

  #spanOf(node: object): Span {
    return sourceSpan(this.#statement, ...this.#range(node));
  }
}

/** The offsets of a node: from the first place that it or a part of it names to the end of the last operand. */
export function rangeOf(sql: string, node: object): readonly [number, number] {
  let start = Infinity;
  let end = 0;
  let looked = 0;
  eachPart(node, part => {
    looked += 1;
    // Of a large expression the beginning and the end of its first parts will do.
    if (looked > 300) return false;
    const { location } = part as { readonly location?: unknown };
    if (typeof location !== 'number' || location < 0) return undefined;
    start = Math.min(start, location);
    if (location >= end) end = 'relname' in part ? nameEnd(sql, location) : nodeEnd(sql, location);
    return undefined;
  });
  return start > end ? [0, sql.length] : [start, end];
}

function isAggregateCall(called: Called | undefined): boolean {
  if (called === undefined) return false;
  const { resolved } = called;
  const among = resolved.is === 'function' ? [resolved.signature] : resolved.is === 'unknown' ? resolved.among : [];
  return among.some(({ kind }) => kind === 'aggregate');
}

/** Whether a use is less than immutable; undefined when that is not known. */
export function isMutable(use: PlacedUse): boolean | undefined {
  return isUnknown(use.volatility) ? undefined : (use.volatility satisfies Volatility) !== 'immutable';
}
