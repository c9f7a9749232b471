import type { Refusal, Span, Statement, Via } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { pieceText, readPlpgsql, type Code, type LoopRange, type Piece, type PlpgsqlBody, type Target } from '../../sql/plpgsql.ts';
import { split } from '../../sql/split.ts';
import { joinTexts, plainText, sliceText, textStatement, type Text } from '../../sql/text.ts';
import type { Node } from '../../sql/tree.ts';
import { sameValue } from '../blend.ts';
import { gap, type Change, type Outcome } from '../change.ts';
import { saidOf } from '../statement-kind.ts';
import type { Store } from '../store.ts';
import { foldText, type Scope } from './fold.ts';
import { assignedIn } from './assigned.ts';
import { readsDoubtfully } from './expressions.ts';
import { catches, decidedByCatalog, raised } from './errors.ts';
import { opaque } from './opaque.ts';
import { passesOf } from './passes.ts';
import { askCatalog, type Answer } from './questions.ts';
import { harmless, reading, returnsRows, sureKinds } from './statements.ts';
import { booleanValue, hasHole, not, nullValue, truthOf, unknownValue, type Truth, type Value } from './values.ts';

/** The body of a routine or a DO statement. */
export interface Body {
  readonly language: string;
  /** What stands between the quotes, with its places. */
  readonly text: Text;
  /** The statement that holds it, for the PL/pgSQL parser. */
  readonly create: string;
  readonly variables: ReadonlyMap<string, Value>;
  readonly via: 'do' | 'routine';
  /** Where the migration calls the routine. */
  readonly from?: Via['from'];
}

/** Calls nested deeper than this are not followed, nor what a statement's code does after so many steps. */
const deepestCall = 16;
const mostSteps = 10_000;

/** Runs a body over the change's catalog. Branches that nobody can decide are both run and joined. Answers with the refusal that is sure to come. */
export function runBody(change: Change, body: Body): Outcome {
  const depth = (change.code?.depth ?? 0) + 1;
  const budget = change.code?.budget ?? { left: mostSteps };
  if (depth > deepestCall) return opaque(change, body.text.text, 'calls nested this deep are not followed');
  const runner = new Runner(change, body, depth, budget);
  if (body.language === 'sql') return runner.sqlBody();
  const read = readPlpgsql(body.create, body.text.text);
  if (!read.ok) return opaque(change, body.text.text, `this PL/pgSQL is not followed: ${read.message}`);
  return runner.plpgsql(read.body.code, read.body.variables);
}

/** Runs something that may not happen: afterwards only what is true either way is. */
export function runMaybe(change: Change, action: () => Outcome): void {
  const before = change.store.fork();
  const [effects, locks] = [change.effects.length, change.locks.length];
  if (action()) {
    change.store.become(before);
    change.effects.length = effects;
    change.locks.length = locks;
  } else change.store.join(before);
}

interface State {
  readonly store: Store;
  readonly variables: ReadonlyMap<string, Value>;
}

/** The ways out of a loop's pass. */
interface Loop {
  readonly exits: State[];
  readonly continues: State[];
}

class Runner {
  private readonly change: Change;
  private readonly body: Body;
  private readonly depth: number;
  private readonly budget: { left: number };
  private variables: Map<string, Value>;
  /** Why the path that is being run ends in an error. */
  private refusal: Refusal | undefined;
  /** A way that may have been taken ended in an error of its own. */
  private dropped = false;
  /** How many statements ran that may fail by what the data is. */
  private risks = 0;
  private readonly strangers: { count: number };
  private readonly returns: State[] = [];
  private readonly loops: Loop[] = [];

  constructor(change: Change, body: Body, depth: number, budget: { left: number }) {
    this.change = change;
    this.body = body;
    this.depth = depth;
    this.budget = budget;
    this.strangers = change.code?.strangers ?? { count: 0 };
    this.variables = new Map(body.variables);
  }

  sqlBody(): Outcome {
    for (const piece of split(this.body.text.text)) {
      if (piece.kind !== 'statement') continue;
      if (!this.statement(sliceText(this.body.text, piece.start, piece.end), this.body.via)) return this.refusal;
    }
    return undefined;
  }

  plpgsql(code: readonly Code[], declared: PlpgsqlBody['variables']): Outcome {
    for (const { name, initial, ambiguous } of declared) {
      if (this.body.variables.has(name)) continue;
      this.variables.set(name, ambiguous ? unknownValue : initial === undefined ? nullValue : this.value(initial));
    }
    const on = this.run(code);
    const ends = [...this.returns, ...(on ? [this.take()] : [])];
    if (ends.length === 0) return this.refusal && this.dropped ? { ...this.refusal, unsure: true } : this.refusal;
    this.merge(ends);
    return undefined;
  }

  // ── States ──

  private take(): State {
    return { store: this.change.store.fork(), variables: new Map(this.variables) };
  }

  private put(state: State): void {
    this.change.store.become(state.store);
    this.variables = new Map(state.variables);
  }

  /** Goes on with what is true in all of these. */
  private merge(states: readonly State[]): void {
    const [first, ...rest] = states;
    if (first === undefined) return;
    this.put(first);
    for (const state of rest) {
      this.change.store.join(state.store);
      for (const [name, value] of this.variables) if (!sameValue(value, state.variables.get(name))) this.variables.set(name, unknownValue);
    }
  }

  /** Runs several ways of which nobody knows which is taken. An error ends only its own way. */
  private ways(ways: readonly (() => boolean)[]): boolean {
    const start = this.take();
    const ends: State[] = [];
    const out = this.outs();
    let refusal: Refusal | undefined;
    for (const way of ways) {
      this.put(start);
      const [effects, locks] = [this.change.effects.length, this.change.locks.length];
      if (way()) ends.push(this.take());
      else if (this.refusal) {
        this.change.effects.length = effects;
        this.change.locks.length = locks;
        refusal ??= this.refusal;
        this.refusal = undefined;
        this.dropped = true;
      }
    }
    this.merge(ends);
    if (ends.length === 0 && this.outs() === out) this.refusal = refusal;
    return ends.length > 0;
  }

  /** How many ways have left by RETURN, EXIT or CONTINUE. */
  private outs(): number {
    return this.loops.reduce((sum, loop) => sum + loop.exits.length + loop.continues.length, this.returns.length);
  }

  // ── Values ──

  private get code(): { readonly depth: number; readonly budget: { left: number }; readonly strangers: { count: number } } {
    return { depth: this.depth, budget: this.budget, strangers: this.strangers };
  }

  private get scope(): Scope {
    return { catalog: this.change.store, postgres: this.change.postgres, variables: this.variables };
  }

  private text(piece: Piece): Text {
    return pieceText(this.body.text, piece);
  }

  private value(piece: Piece): Value {
    return foldText(this.text(piece), this.scope);
  }

  /** A condition; what it calls has run by then. */
  private condition(piece: Piece): Truth | 'refused' {
    if (!this.calls(piece)) return 'refused';
    return truthOf(this.value(piece));
  }

  /** Runs the history's own routines that an expression calls, and reads what its sub-queries read. */
  private calls(piece: Piece): boolean {
    const text = this.text(piece);
    const [calls, reads] = [/[\w"]\s*\(/.test(text.text), /\bselect\b|\btable\b/i.test(text.text)];
    if (!calls && !reads) return true;
    const parsed = parse(`SELECT ${text.text}`);
    if (!parsed.ok) return true;
    const doubtful = reads && !hasHole(text.text) && readsDoubtfully({ ...this.change, code: { ...this.code, variables: this.variables } }, parsed.node);
    return this.apply(textStatement(joinTexts([plainText('SELECT '), text]), this.change.statement.span), parsed.node, doubtful ? 'apply' : 'calls', this.body.via);
  }

  private assign(name: string, value: Value): void {
    this.variables.set(name, value);
    for (const key of this.variables.keys()) if (key.startsWith(`${name}.`)) this.variables.delete(key);
  }

  // ── Statements ──

  /** One more step; false when the code has run so many that the rest is left alone, said once. */
  private afford(): boolean {
    this.budget.left -= 1;
    if (this.budget.left === -1) opaque(this.change, this.body.text.text, 'this code runs too many statements to follow');
    return this.budget.left >= 0;
  }

  /** Runs statements one after the other; false when no way leads past them. */
  private run(list: readonly Code[]): boolean {
    return list.every(code => this.one(code));
  }

  private one(code: Code): boolean {
    if (!this.afford()) return true;
    switch (code.kind) {
      case 'sql': return this.statement(this.text(code.piece), this.body.via) && (code.own !== true || this.hasDestination(code.piece, code.into)) && this.into(code.piece, code.into);
      case 'execute': return this.execute(code.piece, code.into);
      case 'assign':
        if (code.expression !== undefined && !this.calls(code.expression)) return false;
        this.assign(code.name, code.expression === undefined ? unknownValue : this.value(code.expression));
        return true;
      case 'if': return this.branch(code.arms, code.otherwise);
      case 'loop': return this.loop(code.target, code.over, code.body);
      case 'block': return code.handlers.length === 0 ? this.run(code.body) : this.guarded(code.body, code.handlers);
      case 'exit': case 'continue': return this.leave(code.kind, code.condition);
      case 'return':
        this.returns.push(this.take());
        return false;
      case 'raise':
        this.refusal = raised(this.body.text, code.piece);
        return false;
      case 'commit': return true;
      case 'rollback':
        gap(this.change, 'what ROLLBACK in a procedure undoes is not followed', this.change.statement.span);
        opaque(this.change, this.body.text.text, undefined);
        return true;
    }
  }

  /** One SQL statement of the body. What cannot be read is a gap, and what it names is unknown from then on. */
  private statement(text: Text, via: Via['kind']): boolean {
    if (!this.afford()) return true;
    const statement = textStatement(text, this.change.statement.span);
    const parsed = parse(statement.sql);
    if (!parsed.ok) {
      opaque(this.change, statement.sql, hasHole(statement.sql) ? 'a statement made from data is not followed' : `not read as SQL: ${parsed.message}`, statement.span);
      return true;
    }
    if (hasHole(statement.sql) && !harmless.has(Object.keys(parsed.node)[0] ?? '')) this.change.blind.is = true;
    if (hasHole(statement.sql)) gap(this.change, 'a name in this statement is made from data: which object it means is unknown', statement.span);
    return this.apply(statement, parsed.node, 'apply', via);
  }

  private apply(statement: Statement, node: Node, how: 'apply' | 'calls', via: Via['kind']): boolean {
    const { from } = this.body;
    const inner: Change = {
      ...this.change, statement, inTransactionBlock: true, via: { kind: via, span: statement.span, ...(from === undefined ? {} : { from }) },
      code: { ...this.code, variables: this.variables },
    };
    const outcome = this.change[how](inner, node);
    if (outcome) this.refusal = outcome.inside ? outcome : { ...outcome, inside: { ...saidOf(node), via: inner.via } };
    else if (!sureKinds.has(Object.keys(node)[0] ?? '')) this.risks += 1;
    return !outcome;
  }

  private execute(piece: Piece, into: Target | undefined): boolean {
    if (!this.calls(piece)) return false;
    const value = this.value(piece);
    for (const name of into?.names ?? []) this.assign(name, unknownValue);
    if (value.is === 'null') {
      this.refusal = { sqlstate: '22004', because: 'query string argument of EXECUTE is null', evidence: [] };
      return false;
    }
    if (value.is !== 'text') {
      const { text } = this.text(piece);
      if (reading.test(text)) return true;
      this.change.blind.is = true;
      gap(this.change, 'EXECUTE runs a text that is only known at run time', this.span(piece));
      opaque(this.change, text, undefined);
      return true;
    }
    const statements = split(value.text.text).filter(part => part.kind === 'statement');
    return statements.every(part => this.statement(sliceText(value.text, part.start, part.end), 'execute'));
  }

  private span(piece: Piece): Span {
    return textStatement(this.text(piece), this.change.statement.span).span;
  }

  /** Rows that go nowhere are refused once the statement has run (exec_stmt_execsql in pl_exec.c; measured, code.test.ts). */
  private hasDestination(piece: Piece, target: Target | undefined): boolean {
    if (target !== undefined || !returnsRows(this.text(piece).text)) return true;
    this.refusal = { sqlstate: '42601', because: 'query has no destination for result data', evidence: [] };
    return false;
  }

  /** SELECT … INTO: a question to the catalog may have an answer. */
  private into(piece: Piece, target: Target | undefined): boolean {
    this.variables.set('found', unknownValue);
    if (target === undefined) return true;
    const answer = this.ask(piece);
    const rows = answer?.rows();
    if (rows?.complete === true && rows.perhaps.length === 0 && rows.sure.length <= 1) {
      this.assignRow(target, rows.sure[0]);
      this.variables.set('found', booleanValue(rows.sure.length > 0));
    } else for (const name of target.names) this.assign(name, target.names.length === 1 && !target.record ? answer?.scalar() ?? unknownValue : unknownValue);
    return true;
  }

  /** A row into its variables; no row makes them NULL. */
  private assignRow({ names, record }: Target, row: ReadonlyMap<string, Value> | undefined): void {
    const values = [...row?.values() ?? []];
    if (record) this.assign(names[0] ?? '', row === undefined ? nullValue : { is: 'row', fields: row });
    else names.forEach((name, at) => this.assign(name, values[at] ?? nullValue));
  }

  private ask(piece: Piece): Answer | undefined {
    const text = this.text(piece);
    const parsed = parse(text.text);
    if (!parsed.ok || !('SelectStmt' in parsed.node)) return undefined;
    const select = parsed.node.SelectStmt;
    if (select.fromClause !== undefined) return askCatalog(select, text, this.scope);
    if (select.targetList?.length !== 1) return undefined;
    const value = foldText(sliceText(text, text.text.search(/\S/) + 'select'.length, text.text.length), this.scope);
    return { exists: () => true, scalar: () => value, list: () => unknownValue, rows: () => ({ sure: [new Map([['', value]])], perhaps: [], complete: true }) };
  }

  private branch(arms: readonly { readonly condition: Piece; readonly body: readonly Code[] }[], otherwise: readonly Code[], from = 0): boolean {
    const arm = arms[from];
    if (arm === undefined) return this.run(otherwise);
    const truth = this.condition(arm.condition);
    if (truth === 'refused') return false;
    if (truth === true) return this.run(arm.body);
    if (truth !== 'unknown') return this.branch(arms, otherwise, from + 1);
    // What the condition tells of the branch is left out: a name that it looked for is still unknown inside.
    return this.ways([() => this.run(arm.body), () => this.branch(arms, otherwise, from + 1)]);
  }

  private leave(kind: 'exit' | 'continue', condition: Piece | undefined): boolean {
    const truth = condition === undefined ? true : this.condition(condition);
    if (truth === 'refused') return false;
    if (truth === true || truth === 'unknown') this.loops.at(-1)?.[kind === 'exit' ? 'exits' : 'continues'].push(this.take());
    return not(truth) !== false;
  }

  /** One pass of a loop; false when no way leads to the next one. */
  private pass(loop: Loop, body: readonly Code[]): boolean {
    const on = this.run(body);
    const ends = [...loop.continues.splice(0), ...(on ? [this.take()] : [])];
    this.merge(ends);
    return ends.length > 0;
  }

  private loop(target: Target, over: LoopRange | undefined, body: readonly Code[]): boolean {
    if (over?.kind === 'query' && !this.statement(this.text(over.query), this.body.via)) return false;
    const items = over === undefined ? undefined : passesOf(over, { value: piece => this.value(piece), ask: query => this.ask(query) });
    const loop: Loop = { exits: [], continues: [] };
    this.loops.push(loop);
    let on = true;
    if (items !== undefined) {
      for (const { row, sure } of items) {
        const pass = (): boolean => {
          this.assignRow(target, row);
          return this.pass(loop, body);
        };
        on = sure ? pass() : this.ways([() => true, pass]);
        if (!on) break;
      }
    } else on = this.unknownLoop(loop, target.names, body);
    this.loops.pop();
    const refusal = this.refusal;
    const ends = [...loop.exits, ...(on ? [this.take()] : [])];
    this.merge(ends);
    if (ends.length > 0 && refusal === this.refusal) this.refusal = undefined;
    return ends.length > 0;
  }

  /** No pass, or one with everything that the loop assigns unknown. */
  private unknownLoop(loop: Loop, names: readonly string[], body: readonly Code[]): boolean {
    const assigned = [...names, ...assignedIn(body)];
    const on = this.ways([
      () => true,
      () => {
        for (const name of assigned) this.assign(name, unknownValue);
        return this.pass(loop, body);
      },
    ]);
    for (const name of assigned) this.assign(name, unknownValue);
    return on;
  }

  // ── EXCEPTION ──

  /** A block with handlers: an error that is sure to come goes to its handler, over the state before; any other may come at any time. */
  private guarded(body: readonly Code[], handlers: readonly { readonly conditions: readonly string[]; readonly body: readonly Code[] }[]): boolean {
    const start = this.take();
    const [effects, locks] = [this.change.effects.length, this.change.locks.length];
    const outer = this.refusal;
    const [risks, strangers] = [this.risks, this.strangers.count];
    const on = this.run(body);
    /** Whether an error that nobody foresees may come to a handler. */
    const may = (conditions: readonly string[]): boolean => this.strangers.count > strangers
      || (this.risks > risks && conditions.some(condition => !decidedByCatalog(condition)));
    const anyMay = handlers.some(({ conditions }) => may(conditions));
    const refusal = on || this.refusal === outer ? undefined : this.refusal;
    const ends = on ? [this.take()] : [];
    const handler = refusal && handlers.find(({ conditions }) => conditions.some(condition => catches(condition, refusal.sqlstate)));
    if (refusal !== undefined) {
      if (handler === undefined && !anyMay) return false;
      this.change.effects.length = effects;
      this.change.locks.length = locks;
      this.put(start);
      this.refusal = outer;
    }
    if (handler !== undefined) {
      const went = this.run(handler.body);
      if (!anyMay || handlers.length === 1) return went;
      if (went) ends.push(this.take());
    }
    for (const other of handlers) {
      if (other === handler || !may(other.conditions)) continue;
      this.put(start);
      const mark = this.change.effects.length;
      if (this.run(other.body)) ends.push(this.take());
      // Nothing says that the error comes: what the handler would do is in the catalog's doubts, it is no deed of the migration.
      this.change.effects.length = mark;
      this.refusal = outer;
    }
    this.merge(ends);
    if (ends.length === 0) this.refusal = refusal ?? outer;
    return ends.length > 0;
  }
}
