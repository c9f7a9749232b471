import { once } from '../memo.ts';
import type { Routine, Statement, Taint } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { split } from '../sql/split.ts';
import { literalText, sliceText, statementText, textStatement, type Text } from '../sql/text.ts';
import { tokenize } from '../sql/tokens.ts';
import type { Node } from '../sql/tree.ts';
import { placeIn, value } from './expression.ts';
import { singleItem } from './from.ts';
import { oneRow } from './laws.ts';
import { envWithin, newNotes, scopeOver, unknown, type Entry, type Run, type Scope, type ScopeColumn, type Shape } from './scope.ts';
import { analyze, openShape } from './select.ts';
import { flowOf } from './plpgsql-flow.ts';

/** A body that is being read: where its parts are looked at, and what they say is collected. */
export interface Reading {
  readonly routine: Routine;
  /** Arguments, by name and number. */
  readonly parameters: readonly ScopeColumn[];
  /** OUT parameters and columns of TABLE. */
  readonly outputs?: readonly string[];
  /** The analysis that asked. */
  readonly run: Run;
}

/** The text of a string body, with its places. Postgres knows it only when it runs. */
export const bodyText = once(({ statement, body }: Routine): Text | undefined => {
  if (body === undefined) return undefined;
  const token = tokenize(statement.sql).find(item => item.kind === 'string' && item.start <= body.start && item.end >= body.end);
  return token === undefined ? undefined : literalText(statementText(statement), token.start, token.end);
});

/** A run over one text of the body. */
export function partRun(statement: Statement, { routine, parameters, run }: Reading): Run {
  const { catalog } = run;
  return {
    statement, catalog, relation: name => catalog.findRelation(name), reads: [], missing: [], missingColumns: [], routines: new Set(), held: new Set(),
    ...(run.viewFacts === undefined ? {} : { viewFacts: run.viewFacts }), ...(run.uses === undefined ? {} : { uses: [] }),
    notes: newNotes([...run.notes?.within ?? [], routine.id], run.notes?.deeds), parameters, truncated: false, lastId: run.lastId + 1_000, depth: 0,
  };
}

/** What the statements of a body can name: arguments and variables, and the fields of records. */
export interface Names {
  readonly columns: readonly ScopeColumn[];
  readonly records?: ReadonlyMap<string, readonly ScopeColumn[]>;
}

/** The scope around every statement of a body. A record may have fields that nobody saw it get. */
export function outerScope({ columns, records }: Names, name: string): Scope {
  const source = singleItem(columns, undefined, name, { open: false, reads: [], facts: oneRow });
  const entries: readonly Entry[] = [...records ?? []].map(([alias, fields]) => ({ alias, columns: fields, open: true, reads: [] }));
  return scopeOver([{ ...source, entries: [...source.entries, ...entries] }]);
}

/** Keeps what a statement has done. */
function done(run: Run, isSelect: boolean): void {
  const deeds = run.notes?.deeds;
  deeds?.reads.push(...run.reads);
  if (!isSelect) deeds?.writes.push(run.statement.span);
  // A relation that the history does not show may be a view that does anything.
  if (deeds !== undefined && (run.missing.length > 0 || run.truncated)) deeds.opaque = true;
}

/** Reads one statement of a body; undefined when it does not parse. */
export const readPart = (text: Text, names: Names, reading: Reading): Shape | undefined =>
  readStatement(textStatement(text, reading.routine.statement.span), names, reading);

function readStatement(statement: Statement, names: Names, reading: Reading): Shape | undefined {
  const parsed = parse(statement.sql);
  if (!parsed.ok) return undefined;
  const run = partRun(statement, reading);
  const env = envWithin(outerScope(names, reading.routine.name.name), undefined, 1);
  const shape = analyze(parsed.node, run, env);
  done(run, 'SelectStmt' in parsed.node);
  return 'SelectStmt' in parsed.node ? shape : openShape;
}

/** What a routine gives back, by its body; undefined when that cannot be read. */
export function readBody(reading: Reading): Shape | undefined {
  const { routine } = reading;
  if (routine.form !== 'function') return undefined;
  if (routine.language === 'plpgsql') {
    const text = bodyText(routine);
    return text === undefined ? undefined : flowOf(text, reading);
  }
  if (routine.language !== 'sql') return undefined;
  const statements = statementsOf(routine);
  return statements === undefined ? readStored(reading) : readStatements(statements, reading);
}

/** The last statement of an SQL body is what it gives back. */
function readStatements(statements: readonly Statement[], reading: Reading): Shape | undefined {
  let last: Shape | undefined;
  for (const statement of statements) {
    last = readStatement(statement, { columns: reading.parameters }, reading);
    if (last === undefined) return undefined;
  }
  return last;
}

/** The statements of an SQL body that is a string. */
const statementsOf = once((routine: Routine): readonly Statement[] | undefined => {
  const text = bodyText(routine);
  return text && split(text.text).filter(({ kind }) => kind === 'statement')
    .map(({ start, end }) => textStatement(sliceText(text, start, end), routine.statement.span));
});

/** RETURN and BEGIN ATOMIC: the body is part of the statement's own tree. */
function readStored(reading: Reading): Shape | undefined {
  const { routine } = reading;
  const parsed = parse(routine.statement.sql);
  const body = parsed.ok && 'CreateFunctionStmt' in parsed.node ? parsed.node.CreateFunctionStmt.sql_body : undefined;
  if (body === undefined) return undefined;
  const run = partRun(routine.statement, reading);
  const scope = outerScope({ columns: reading.parameters }, routine.name.name);
  const env = envWithin(scope, undefined, 1);
  if ('ReturnStmt' in body) {
    const result = value(body.ReturnStmt.returnval, placeIn(run, scope, env));
    done(run, true);
    return oneColumn(result.taints);
  }
  const statements = 'List' in body ? (body.List.items ?? []).flatMap((item): readonly Node[] => ('List' in item ? item.List.items ?? [] : [item])) : [];
  let last: Shape | undefined;
  for (const statement of statements) {
    if ('ReturnStmt' in statement) last = oneColumn(value(statement.ReturnStmt.returnval, placeIn(run, scope, env)).taints);
    else last = analyze(statement, run, env);
    if (!('SelectStmt' in statement) && !('ReturnStmt' in statement)) run.notes?.deeds.writes.push(run.statement.span);
  }
  done(run, true);
  return last;
}

/** A result of which only the taints are known. */
export function oneColumn(taints: readonly Taint[]): Shape {
  return { open: false, facts: oneRow, columns: [{ name: 'result', type: unknown('type of the result'), literal: false, nullable: unknown('the result'), taints, start: 0 }] };
}
