import type { Catalog, Routine, Trigger, WrittenName } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { pieceText, readPlpgsql, type Code, type Piece } from '../../sql/plpgsql.ts';
import { quoteIdent } from '../../sql/print.ts';
import { split } from '../../sql/split.ts';
import { joinTexts, plainText, sliceText, statementText, type Text } from '../../sql/text.ts';
import { identifierText, tokenize, type Token } from '../../sql/tokens.ts';
import type { FuncCall, Node } from '../../sql/tree.ts';
import { walk } from '../../sql/walk.ts';
import { sameValue } from '../blend.ts';
import { isUnknown, writtenFromList, writtenName } from '../change.ts';
import { argumentValues, takes } from './arguments.ts';
import { assignedIn } from './assigned.ts';
import { bodyOf } from './body.ts';
import { calledNames } from './called-names.ts';
import { foldText, type Scope } from './fold.ts';
import { hasHole, nullValue, textValue, truthOf, unknownValue, type Value } from './values.ts';

/** A REFRESH that a text holds, and where. */
export interface Refresh {
  readonly target: WrittenName;
  readonly concurrently: boolean;
  readonly withData?: false;
  readonly guarded?: true;
  /** A SET of the routine that runs it, where that is another than the one that holds it. */
  readonly searchPath?: readonly string[];
  readonly text: Text;
}

/** What bodies are read with: where names are looked up, and the major version. */
export type Reading = Pick<Scope, 'catalog' | 'postgres'>;

/** Calls nested deeper than this are not followed. */
const deepestCall = 5;

/** Conditions that ask whether a relation is there. FOUND is the answer of a SELECT INTO before. */
const asksForIt = /\b(?:to_regclass|pg_matviews|pg_class|pg_views|pg_tables|information_schema|found)\b/i;
/** Conditions of variables alone: the arguments of a call decide them, nothing that changes from call to call does. */
const isPlain = (text: string): boolean => !/[("]|\bselect\b|\bfound\b/i.test(text);
/** Handlers that catch 42P01. */
const catchesAbsence = new Set(['others', 'undefined_table']);

/** The text of a search_path setting as a list of schemas. */
export function pathOf(text: string): readonly string[] {
  return text.split(',').map(part => part.trim().replace(/^["'](.*)["']$/, '$1')).filter(part => part !== '');
}

/** The refreshes among the statements of a text. */
export function refreshesIn(text: Text): readonly Refresh[] {
  if (!/refresh/i.test(text.text)) return [];
  return split(text.text).flatMap((piece): readonly Refresh[] => {
    if (piece.kind !== 'statement') return [];
    const own = sliceText(text, piece.start, piece.end);
    if (hasHole(own.text)) return [];
    const plain = readPlainly(own.text);
    if (plain !== undefined) return [{ ...plain, text: own }];
    const parsed = parse(own.text);
    if (!parsed.ok || !('RefreshMatViewStmt' in parsed.node)) return [];
    const { relation, concurrent, skipData } = parsed.node.RefreshMatViewStmt;
    return [{ target: writtenName(relation), concurrently: concurrent === true, ...(skipData === true ? { withData: false as const } : {}), text: own }];
  });
}

const plainRefresh = /^refresh[ \n]+materialized[ \n]+view[ \n]+(concurrently[ \n]+)?(?:([a-z_]\w{0,62})\.)?([a-z_]\w{0,62})$/i;

/** A refresh as nearly everybody writes it, of names that need no quotes; the parser would say the same of it. */
function readPlainly(sql: string): Pick<Refresh, 'target' | 'concurrently'> | undefined {
  const [, concurrently, schema, name] = plainRefresh.exec(sql) ?? [];
  if (name === undefined || quoteIdent(name) !== name || (schema !== undefined && quoteIdent(schema) !== schema)) return undefined;
  return { target: schema === undefined ? { name } : { schema, name }, concurrently: concurrently !== undefined };
}

/** Whether a caller can tell the routine anything. */
export const takesArguments = (routine: Routine): boolean => isUnknown(routine.arguments) || routine.arguments.length > 0;

/** Whether a call of the routine may refresh what its arguments name: somewhere below there is a REFRESH. */
export function leadsToRefresh(routine: Routine, catalog: Catalog, seen = new Set<Routine>()): boolean {
  if (seen.has(routine)) return false;
  seen.add(routine);
  if (/\brefresh\b/i.test(routine.statement.sql)) return true;
  return calledNames(routine).some(name => catalog.findRoutines(name).some(called => leadsToRefresh(called, catalog, seen)));
}

/**
 * The refreshes that a routine may run, whatever its branches say: statements, texts for EXECUTE that constants make, and what routines that it
 * calls refresh because of constants that it hands them. `given`: what its parameters are worth. A refresh whose view only the data names is none.
 */
export function refreshesOfRoutine(reading: Reading, routine: Routine, given: ReadonlyMap<string, Value> = new Map(), depth = 0): readonly Refresh[] {
  const body = bodyOf(routine.statement)?.text;
  if (body === undefined) return byTokens(statementText(routine.statement));
  const hands = depth < deepestCall && calledNames(routine).some(name =>
    reading.catalog.findRoutines(name).some(called => takesArguments(called) && leadsToRefresh(called, reading.catalog)));
  if (!hands && !/refresh/i.test(body.text)) return [];
  const reader = new Reader(reading, body, hands ? depth : deepestCall, new Map(given));
  if (routine.language === 'sql') return reader.statements(body);
  if (routine.language !== 'plpgsql') return [];
  const read = readPlpgsql(routine.statement.sql, body.text);
  if (!read.ok) return byTokens(body);
  reader.declare(read.body.variables);
  return reader.visit(read.body.code);
}

/** The refreshes that the constants in these calls lead to; those that the called routine runs anyway are its own. */
export function refreshesThrough(reading: Reading, text: Text, node: Node, variables: ReadonlyMap<string, Value> = new Map(), depth = 0): readonly Refresh[] {
  const found: Refresh[] = [];
  walk(node, (kind, inner) => {
    if (kind !== 'FuncCall') return;
    const call = inner as FuncCall;
    const fitting = reading.catalog.findRoutines(writtenFromList(call.funcname)).filter(routine => takes(routine, call.args?.length ?? 0));
    const [routine] = fitting;
    if (routine === undefined || fitting.length > 1 || !leadsToRefresh(routine, reading.catalog)) return;
    const values = argumentValues(routine, call, text, { ...reading, variables });
    for (const refresh of becauseOf(reading, routine, values, depth + 1)) found.push({ ...refresh, text });
  });
  return found;
}

/** What a trigger's own arguments make its routine refresh. */
export function refreshesOfTrigger(reading: Reading, trigger: Trigger, routine: Routine): readonly Omit<Refresh, 'text'>[] {
  if (!leadsToRefresh(routine, reading.catalog)) return [];
  const table = reading.catalog.get(trigger.on);
  const name = table !== undefined && typeof table.name === 'object' ? table.name : undefined;
  const values = new Map<string, Value>([
    ['tg_name', textValue(trigger.name)], ['tg_argv', { is: 'list', items: (trigger.arguments ?? []).map(textValue) }],
    ...(name === undefined ? [] : [['tg_table_name', textValue(name.name)], ['tg_relname', textValue(name.name)], ['tg_table_schema', textValue(name.schema)]] as const),
  ]);
  return becauseOf(reading, routine, values, 0);
}

/** What a routine refreshes with these values, without what it refreshes whatever they are. */
function becauseOf(reading: Reading, routine: Routine, values: ReadonlyMap<string, Value>, depth: number): readonly Refresh[] {
  if (![...values.values()].some(value => value.is !== 'unknown')) return [];
  const anyway = refreshesOfRoutine(reading, routine, new Map(), depth);
  const path = routine.settings.get('search_path');
  return refreshesOfRoutine(reading, routine, values, depth)
    .filter(refresh => !anyway.some(own => own.concurrently === refresh.concurrently && sameValue(own.target, refresh.target)))
    .map(refresh => ({ ...(path === undefined ? {} : { searchPath: pathOf(path) }), ...refresh }));
}

const guard = (refreshes: readonly Refresh[]): readonly Refresh[] => refreshes.map(refresh => ({ ...refresh, guarded: true as const }));

/** Walks code in the order of its text. A variable is worth something where it holds that on every way. */
class Reader {
  private readonly reading: Reading;
  private readonly body: Text;
  private readonly depth: number;
  private variables: Map<string, Value>;

  constructor(reading: Reading, body: Text, depth: number, variables: Map<string, Value>) {
    this.reading = reading;
    this.body = body;
    this.depth = depth;
    this.variables = variables;
  }

  declare(variables: readonly { readonly name: string; readonly initial?: Piece; readonly ambiguous: boolean }[]): void {
    for (const { name, initial, ambiguous } of variables)
      if (!this.variables.has(name)) this.variables.set(name, ambiguous ? unknownValue : initial === undefined ? nullValue : this.value(initial));
  }

  visit(code: readonly Code[]): readonly Refresh[] {
    return code.flatMap(item => this.one(item));
  }

  /** The statements of a body in SQL, or of a text for EXECUTE. */
  statements(text: Text): readonly Refresh[] {
    if (this.depth >= deepestCall) return refreshesIn(text);
    return split(text.text).flatMap(piece => (piece.kind === 'statement' ? this.statement(sliceText(text, piece.start, piece.end)) : []));
  }

  private statement(text: Text): readonly Refresh[] {
    const own = refreshesIn(text);
    return own.length > 0 ? own : this.calls(text);
  }

  private text(piece: Piece): Text {
    return pieceText(this.body, piece);
  }

  private value(piece: Piece): Value {
    return foldText(this.text(piece), { ...this.reading, variables: this.variables });
  }

  private calls(text: Text): readonly Refresh[] {
    if (this.depth >= deepestCall || !/[\w"]\s*\(/.test(text.text) || hasHole(text.text)) return [];
    const parsed = parse(text.text);
    return parsed.ok ? refreshesThrough(this.reading, text, parsed.node, this.variables, this.depth) : [];
  }

  private expression(piece: Piece): readonly Refresh[] {
    return this.calls(joinTexts([plainText('SELECT '), this.text(piece)]));
  }

  private one(item: Code): readonly Refresh[] {
    switch (item.kind) {
      case 'sql': {
        const found = this.statement(this.text(item.piece));
        this.forget(item.into?.names ?? []);
        return found;
      }
      case 'execute': {
        const value = this.value(item.piece);
        this.forget(item.into?.names ?? []);
        return [...this.expression(item.piece), ...(value.is === 'text' ? this.statements(value.text) : [])];
      }
      case 'assign': {
        const found = item.expression === undefined ? [] : this.expression(item.expression);
        this.variables.set(item.name, item.expression === undefined ? unknownValue : this.value(item.expression));
        return found;
      }
      case 'if': return this.branch(item.arms, item.otherwise);
      case 'block': {
        const caught = item.handlers.some(({ conditions }) => conditions.some(condition => catchesAbsence.has(condition)));
        const start = new Map(this.variables);
        const body = this.visit(item.body);
        const ends = [this.variables];
        const handlers = item.handlers.flatMap(handler => {
          this.variables = new Map(start);
          this.forget(assignedIn(item.body));
          const found = this.visit(handler.body);
          ends.push(this.variables);
          return found;
        });
        this.merge(ends);
        return [...(caught ? guard(body) : body), ...handlers];
      }
      case 'loop': {
        const list = item.over?.kind === 'array' ? this.value(item.over.expression) : unknownValue;
        const [name] = item.target.names;
        const assigned = [...item.target.names, ...assignedIn(item.body)];
        this.forget(assigned);
        const passes = list.is === 'list' && name !== undefined ? list.items : [unknownValue];
        const found = passes.flatMap(value => {
          this.forget(assigned);
          if (name !== undefined) this.variables.set(name, value);
          return this.visit(item.body);
        });
        this.forget(assigned);
        return found;
      }
      default: return [];
    }
  }

  private branch(arms: readonly { readonly condition: Piece; readonly body: readonly Code[] }[], otherwise: readonly Code[]): readonly Refresh[] {
    const start = new Map(this.variables);
    const ends: Map<string, Value>[] = [];
    const found: Refresh[] = [];
    let [asked, decided] = [false, false];
    for (const { condition, body } of arms) {
      const { text } = this.text(condition);
      asked ||= asksForIt.test(text);
      const truth = isPlain(text) ? truthOf(this.value(condition)) : 'unknown';
      if (truth === false || truth === 'null') continue;
      found.push(...this.expression(condition), ...this.visit(body));
      ends.push(this.variables);
      this.variables = new Map(start);
      decided = truth === true;
      if (decided) break;
    }
    if (!decided) {
      found.push(...this.visit(otherwise));
      ends.push(this.variables);
    }
    this.merge(ends);
    return asked ? guard(found) : found;
  }

  private forget(names: readonly string[]): void {
    for (const name of names) this.variables.set(name, unknownValue);
  }

  private merge([first, ...rest]: readonly Map<string, Value>[]): void {
    this.variables = first ?? this.variables;
    for (const other of rest) for (const [name, value] of this.variables) if (!sameValue(value, other.get(name))) this.variables.set(name, unknownValue);
  }
}

const word = (sql: string, token: Token | undefined): string => (token?.kind === 'word' ? sql.slice(token.start, token.end).toLowerCase() : '');
const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** REFRESH MATERIALIZED VIEW as words, in a body that the PL/pgSQL parser does not read (or BEGIN ATOMIC, which cannot hold one). */
function byTokens(body: Text): readonly Refresh[] {
  const sql = body.text;
  const tokens = tokenize(sql).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  return tokens.flatMap((token, at): readonly Refresh[] => {
    if (word(sql, token) !== 'refresh' || word(sql, tokens[at + 1]) !== 'materialized' || word(sql, tokens[at + 2]) !== 'view') return [];
    const concurrently = word(sql, tokens[at + 3]) === 'concurrently';
    const first = at + (concurrently ? 4 : 3);
    const [name, dot, second] = [tokens[first], tokens[first + 1], tokens[first + 2]];
    if (!isName(name)) return [];
    const qualified = dot !== undefined && sql.slice(dot.start, dot.end) === '.' && isName(second);
    const target = qualified ? { schema: identifierText(sql, name), name: identifierText(sql, second) } : { name: identifierText(sql, name) };
    return [{ target, concurrently, text: sliceText(body, token.start, (qualified ? second : name).end) }];
  });
}
