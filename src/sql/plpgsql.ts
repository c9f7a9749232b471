import { parsePlpgsql, type PlpgsqlNode } from './parse.ts';
import { joinTexts, plainText, sliceText, type Text } from './text.ts';

/** A run of the body's text, in UTF-16 units of the body. `prefix` is what PL/pgSQL puts before it to make it SQL (PERFORM becomes SELECT). */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly prefix?: string;
  /** What is sent instead of the text, unit for unit: INTO and its targets are blanks. */
  readonly sent?: string;
}

/** Where a result goes: variables of their own, or one record that holds the row. */
export interface Target {
  readonly names: readonly string[];
  readonly record: boolean;
}

/** PL/pgSQL as it runs: what changes the catalog or decides whether something does. RAISE of less than an error, GET DIAGNOSTICS, ASSERT and cursors are left out. */
export type Code =
  /** `own`: a statement of its own, whose rows need a target; PERFORM, CALL and RETURN QUERY do without. */
  | { readonly kind: 'sql'; readonly piece: Piece; readonly into?: Target; readonly own?: true }
  /** EXECUTE of a text made at run time. */
  | { readonly kind: 'execute'; readonly piece: Piece; readonly into?: Target }
  /** `expression` is absent where the value cannot be known. */
  | { readonly kind: 'assign'; readonly name: string; readonly expression?: Piece }
  | { readonly kind: 'if'; readonly arms: readonly { readonly condition: Piece; readonly body: readonly Code[] }[]; readonly otherwise: readonly Code[] }
  /** A loop. `over` is what it runs through; absent for LOOP, WHILE and everything else whose passes cannot be counted. */
  | { readonly kind: 'loop'; readonly target: Target; readonly over?: LoopRange; readonly body: readonly Code[] }
  | { readonly kind: 'block'; readonly body: readonly Code[]; readonly handlers: readonly { readonly conditions: readonly string[]; readonly body: readonly Code[] }[] }
  | { readonly kind: 'exit' | 'continue'; readonly condition?: Piece }
  /** `name`: the variable that it gives back; an expression stands before it as a SELECT. */
  | { readonly kind: 'return'; readonly name?: string }
  /** RAISE of an error: nothing after it runs. */
  | { readonly kind: 'raise'; readonly piece: Piece }
  | { readonly kind: 'commit' | 'rollback' };

export type LoopRange =
  | { readonly kind: 'array'; readonly expression: Piece }
  | { readonly kind: 'numbers'; readonly from: Piece; readonly to: Piece; readonly reverse: boolean }
  | { readonly kind: 'query'; readonly query: Piece };

export interface PlpgsqlBody {
  readonly code: readonly Code[];
  /** Variables in order of declaration, with their types as written and initial values. A name that is declared twice is `ambiguous`. */
  readonly variables: readonly { readonly name: string; readonly type?: string; readonly initial?: Piece; readonly ambiguous: boolean }[];
}

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? value as Fields : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** The one key of a node and what is under it. */
function kindOf(node: unknown): readonly [string, Fields] {
  const [kind = ''] = Object.keys(fields(node));
  return [kind, fields(fields(node)[kind])];
}

/** Error levels of RAISE (elog.h: ERROR is 21 and above). */
const errorLevel = 21;

/**
 * Reads the body of a PL/pgSQL routine or DO statement. `create` is the whole statement, `body` the text of its literal. libpg_query gives
 * line numbers and the texts of queries; the places are found by looking for each text from its line on, in the order of the source.
 */
export function readPlpgsql(create: string, body: string): ReadPlpgsql {
  const old = known.get(create);
  if (old?.of === body) return old.read;
  const read = readAnew(create, body);
  if (known.size >= mostKnown) known = new Map();
  known.set(create, { of: body, read });
  return read;
}

type ReadPlpgsql = { readonly ok: true; readonly body: PlpgsqlBody } | { readonly ok: false; readonly message: string };

/** A pure cache by text: a routine is read for its calls, its refreshes, what it returns, and by rules, mostly one after the other. */
let known = new Map<string, { readonly of: string; readonly read: ReadPlpgsql }>();
const mostKnown = 64;

function readAnew(create: string, body: string): ReadPlpgsql {
  const parsed = parsePlpgsql(create);
  if (!parsed.ok) return parsed;
  const main = fields(fields(parsed.functions[0]).PLpgSQL_function);
  if (parsed.functions.length !== 1 || main.action === undefined) return { ok: false, message: 'PL/pgSQL parser gave no body' };
  const obstacle = obstacleIn(main.action);
  if (obstacle !== undefined) return { ok: false, message: obstacle };
  return { ok: true, body: new Reader(body, list(main.datums)).read(main.action as PlpgsqlNode) };
}

const nobody: Target = { names: [], record: false };

/** Trees nested deeper than this many objects and lists are not read: a reader by recursion would run out of stack. */
const deepest = 1500;

/** What keeps a body from being read: EXIT of an outer loop (which one it is, the tree does not tell), or statements nested too deep. */
function obstacleIn(action: unknown): string | undefined {
  let level: readonly unknown[] = [action];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return 'statements nested too deep';
    if (level.some(node => fields(fields(node).PLpgSQL_stmt_exit).label !== undefined)) return 'EXIT and CONTINUE with a label';
    level = level.flatMap(node => (typeof node === 'object' && node !== null ? Object.values(node) as readonly unknown[] : []));
  }
  return undefined;
}

/** The SQL of a piece, with the places of its text in the body. */
export function pieceText(body: Text, piece: Piece): Text {
  const own = sliceText(body, piece.start, piece.end);
  const sent = piece.sent === undefined ? own : { text: piece.sent, origins: own.origins };
  return piece.prefix === undefined ? sent : joinTexts([plainText(piece.prefix), sent]);
}

/** Every statement and expression that a body can run, in the order of its text but for initial values; texts for EXECUTE are expressions. */
export function* piecesOf({ code, variables }: PlpgsqlBody): Iterable<{ readonly piece: Piece; readonly expression: boolean }> {
  for (const { initial } of variables) if (initial !== undefined) yield { piece: initial, expression: true };
  yield* piecesIn(code);
}

function* piecesIn(list: readonly Code[]): Iterable<{ readonly piece: Piece; readonly expression: boolean }> {
  for (const code of list) {
    if (code.kind === 'sql') yield { piece: code.piece, expression: false };
    else if (code.kind === 'execute' || code.kind === 'raise') yield { piece: code.piece, expression: true };
    else if (code.kind === 'assign' && code.expression !== undefined) yield { piece: code.expression, expression: true };
    else if ((code.kind === 'exit' || code.kind === 'continue') && code.condition !== undefined) yield { piece: code.condition, expression: true };
    else if (code.kind === 'if') {
      for (const { condition, body } of code.arms) {
        yield { piece: condition, expression: true };
        yield* piecesIn(body);
      }
      yield* piecesIn(code.otherwise);
    } else if (code.kind === 'loop') {
      if (code.over?.kind === 'query') yield { piece: code.over.query, expression: false };
      else if (code.over?.kind === 'array') yield { piece: code.over.expression, expression: true };
      yield* piecesIn(code.body);
    } else if (code.kind === 'block') {
      yield* piecesIn(code.body);
      for (const handler of code.handlers) yield* piecesIn(handler.body);
    }
  }
}

class Reader {
  private readonly body: string;
  private readonly datums: readonly unknown[];
  private readonly lines: readonly number[];
  private cursor = 0;

  constructor(body: string, datums: readonly unknown[]) {
    this.body = body;
    this.datums = datums;
    const lines = [0];
    for (let at = body.indexOf('\n'); at >= 0; at = body.indexOf('\n', at + 1)) lines.push(at + 1);
    this.lines = lines;
  }

  read(action: PlpgsqlNode): PlpgsqlBody {
    const names = this.datums.map(datum => this.nameOf(datum));
    const variables = this.datums.flatMap((datum, at) => {
      const [kind, node] = kindOf(datum);
      const name = names[at];
      if (name === undefined || kind === 'PLpgSQL_recfield') return [];
      const initial = node.default_val === undefined ? undefined : this.piece(node.default_val, node.lineno);
      const type = text(kindOf(node.datatype)[1].typname);
      return [{ name, ...(type === '' ? {} : { type }), ...(initial === undefined ? {} : { initial }), ambiguous: names.indexOf(name) !== names.lastIndexOf(name) }];
    });
    this.cursor = 0;
    return { variables, code: this.statement(action) };
  }

  /** Name of a variable, `record.field` for a record's field. */
  private nameOf(datum: unknown): string | undefined {
    const [kind, node] = kindOf(datum);
    if (kind === 'PLpgSQL_recfield') {
      const parent = kindOf(this.datums[Number(node.recparentno ?? 0)])[1];
      return `${text(parent.refname)}.${text(node.fieldname)}`;
    }
    return kind === 'PLpgSQL_var' || kind === 'PLpgSQL_rec' ? text(node.refname) : undefined;
  }

  private target(node: unknown): Target {
    const [kind, of] = kindOf(node);
    if (kind === 'PLpgSQL_row') {
      const name = (field: unknown): string => this.nameOf(this.datums[Number(fields(field).varno ?? 0)]) ?? text(fields(field).name);
      return { names: list(of.fields).map(name), record: false };
    }
    const name = text(of.refname);
    return { names: name === '' ? [] : [name], record: kind === 'PLpgSQL_rec' };
  }

  private into(of: Fields): { readonly into?: Target } {
    return of.target === undefined ? {} : { into: this.target(of.target) };
  }

  /** The place of an expression: its text, looked for from its line on and after what was read before. */
  private piece(expression: unknown, line: unknown): Piece {
    const query = text(kindOf(expression)[1].query);
    // The condition of a CASE arm names a variable that no source holds.
    if (query.startsWith('"__Case__Variable_')) return { start: 0, end: 0, prefix: query };
    const from = Math.max(this.cursor, this.lines[Number(line ?? 1) - 1] ?? 0);
    const found = this.find(query, from) ?? this.find(query, 0);
    if (found === undefined) return { start: 0, end: 0, prefix: query };
    this.cursor = found.end;
    return found;
  }

  private find(query: string, from: number): Piece | undefined {
    const exact = this.body.indexOf(query, from);
    if (exact >= 0) return { start: exact, end: exact + query.length };
    // PERFORM f() is kept as SELECT f(); INTO and its targets are blanks.
    if (/^select /i.test(query)) {
      const rest = this.body.indexOf(query.slice(7), from);
      if (rest >= 0) return { start: rest, end: rest + query.length - 7, prefix: 'SELECT ' };
    }
    const head = /^\S+/.exec(query)?.[0] ?? query;
    for (let at = this.body.indexOf(head, from); at >= 0; at = this.body.indexOf(head, at + 1))
      if (this.matches(query, at)) return { start: at, end: at + query.length, sent: query };
    return undefined;
  }

  /** The text stands at `at`, but for blanks that stand for anything. */
  private matches(query: string, at: number): boolean {
    if (at + query.length > this.body.length) return false;
    for (let i = 0; i < query.length; i += 1) if (query[i] !== ' ' && query[i] !== this.body[at + i]) return false;
    return true;
  }

  private statements(nodes: unknown): readonly Code[] {
    return list(nodes).flatMap(node => this.statement(node as PlpgsqlNode));
  }

  private statement(node: PlpgsqlNode): readonly Code[] {
    const [kind, of] = kindOf(node);
    const line = of.lineno;
    switch (kind) {
      case 'PLpgSQL_stmt_block': return [this.block(of)];
      case 'PLpgSQL_stmt_execsql': return [{ kind: 'sql', own: true, piece: this.piece(of.sqlstmt, line), ...this.into(of) }];
      case 'PLpgSQL_stmt_perform': case 'PLpgSQL_stmt_call': return [{ kind: 'sql', piece: this.piece(of.expr, line), ...this.into(of) }];
      case 'PLpgSQL_stmt_dynexecute': return [{ kind: 'execute', piece: this.piece(of.query, line), ...this.into(of) }];
      case 'PLpgSQL_stmt_return_query':
        if (of.query !== undefined) return [{ kind: 'sql', piece: this.piece(of.query, line) }];
        return [{ kind: 'execute', piece: this.piece(of.dynquery, line) }];
      case 'PLpgSQL_stmt_assign': return [this.assignment(of)];
      case 'PLpgSQL_stmt_if': return [this.branches(of)];
      case 'PLpgSQL_stmt_case': return this.choice(of);
      case 'PLpgSQL_stmt_loop': return [{ kind: 'loop', target: nobody, body: this.statements(of.body) }];
      case 'PLpgSQL_stmt_while': return [this.whileLoop(of)];
      case 'PLpgSQL_stmt_fori': case 'PLpgSQL_stmt_fors': case 'PLpgSQL_stmt_dynfors': case 'PLpgSQL_stmt_forc': case 'PLpgSQL_stmt_foreach_a':
        return [this.forLoop(kind, of)];
      case 'PLpgSQL_stmt_exit': {
        const condition = of.cond === undefined ? undefined : this.piece(of.cond, line);
        return [{ kind: of.is_exit === true ? 'exit' : 'continue', ...(condition === undefined ? {} : { condition }) }];
      }
      case 'PLpgSQL_stmt_return': return [...(of.expr === undefined ? [] : [{ kind: 'sql' as const, piece: this.asSelect(of.expr, line) }]), this.returned(of)];
      case 'PLpgSQL_stmt_raise': return Number(of.elog_level ?? errorLevel) >= errorLevel ? [{ kind: 'raise', piece: this.lineOf(line) }] : [];
      case 'PLpgSQL_stmt_commit': return [{ kind: 'commit' }];
      case 'PLpgSQL_stmt_rollback': return [{ kind: 'rollback' }];
      case 'PLpgSQL_stmt_getdiag':
        return list(of.diag_items).flatMap((item): readonly Code[] => {
          const name = this.nameOf(this.datums[Number(kindOf(item)[1].target ?? 0)]);
          return name === undefined ? [] : [{ kind: 'assign', name }];
        });
      default: return [];
    }
  }

  private returned(of: Fields): Code {
    const name = typeof of.retvarno === 'number' ? this.nameOf(this.datums[of.retvarno]) : undefined;
    return { kind: 'return', ...(name === undefined ? {} : { name }) };
  }

  /** An expression that is evaluated for what its calls do. */
  private asSelect(expression: unknown, line: unknown): Piece {
    return { ...this.piece(expression, line), prefix: 'SELECT ' };
  }

  private lineOf(line: unknown): Piece {
    const start = this.lines[Number(line ?? 1) - 1] ?? 0;
    const end = this.body.indexOf('\n', start);
    return { start, end: end < 0 ? this.body.length : end };
  }

  private block(of: Fields): Code {
    const body = this.statements(of.body);
    const [, exceptions] = kindOf(of.exceptions);
    const handlers = list(exceptions.exc_list).map(item => {
      const [, handler] = kindOf(item);
      return { conditions: list(handler.conditions).map(condition => text(kindOf(condition)[1].condname).toLowerCase()), body: this.statements(handler.action) };
    });
    return { kind: 'block', body, handlers };
  }

  private assignment(of: Fields): Code {
    const name = this.nameOf(this.datums[Number(of.varno ?? 0)]) ?? '';
    const whole = this.piece(of.expr, of.lineno);
    const source = whole.prefix === undefined ? this.body.slice(whole.start, whole.end) : '';
    const operator = /^\s*(?:"(?:[^"]|"")*"|[\w$.\u0080-\uffff])+\s*:?=/.exec(source);
    return operator ? { kind: 'assign', name, expression: { start: whole.start + operator[0].length, end: whole.end } } : { kind: 'assign', name };
  }

  private branches(of: Fields): Code {
    const arms = [{ condition: this.piece(of.cond, of.lineno), body: this.statements(of.then_body) }];
    for (const item of list(of.elsif_list)) {
      const [, arm] = kindOf(item);
      arms.push({ condition: this.piece(arm.cond, arm.lineno), body: this.statements(arm.stmts) });
    }
    return { kind: 'if', arms, otherwise: this.statements(of.else_body) };
  }

  /** CASE: the value goes into a variable that the conditions of its arms name. */
  private choice(of: Fields): readonly Code[] {
    const name = of.t_expr === undefined ? undefined : this.nameOf(this.datums[Number(of.t_varno ?? 0)]);
    const assign: Code[] = name === undefined ? [] : [{ kind: 'assign', name, expression: this.piece(of.t_expr, of.lineno) }];
    const arms = list(of.case_when_list).map(item => {
      const [, arm] = kindOf(item);
      return { condition: this.piece(arm.expr, arm.lineno), body: this.statements(arm.stmts) };
    });
    return [...assign, { kind: 'if', arms, otherwise: this.statements(of.else_stmts) }];
  }

  private whileLoop(of: Fields): Code {
    const condition = this.piece(of.cond, of.lineno);
    return { kind: 'loop', target: nobody, body: [{ kind: 'if', arms: [{ condition, body: this.statements(of.body) }], otherwise: [{ kind: 'exit' }] }] };
  }

  private forLoop(kind: string, of: Fields): Code {
    const line = of.lineno;
    const variable = kind === 'PLpgSQL_stmt_foreach_a' ? this.nameOf(this.datums[Number(of.varno ?? 0)]) : undefined;
    const target = variable === undefined ? this.target(of.var ?? of.row ?? of.rec) : { names: [variable], record: false };
    let over: LoopRange | undefined;
    if (kind === 'PLpgSQL_stmt_foreach_a') over = { kind: 'array', expression: this.piece(of.expr, line) };
    if (kind === 'PLpgSQL_stmt_fors') over = { kind: 'query', query: this.piece(of.query, line) };
    if (kind === 'PLpgSQL_stmt_fori' && of.step === undefined)
      over = { kind: 'numbers', from: this.piece(of.lower, line), to: this.piece(of.upper, line), reverse: of.reverse === true || of.reverse === 1 };
    return { kind: 'loop', target, ...(over === undefined ? {} : { over }), body: this.statements(of.body) };
  }
}
