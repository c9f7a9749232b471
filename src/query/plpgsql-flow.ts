import type { Known, Taint } from '../model.ts';
import { pieceText, readPlpgsql, type Code, type Piece, type Target } from '../sql/plpgsql.ts';
import { joinTexts, plainText, type Text } from '../sql/text.ts';
import { ofCondition } from './determinism.ts';
import { oneRow } from './laws.ts';
import { readPart, type Names, type Reading } from './routine-body.ts';
import { newId, unionTaints, unknown, type Flow, type ScopeColumn, type Shape } from './scope.ts';
import { typesIn } from './sql-type.ts';

/** Passes over a body: what a loop carries from one turn to the next is complete after that many. */
const passes = 3;

/** What a PL/pgSQL body can give back: the taints of RETURN, RETURN QUERY and OUT parameters, whatever its branches say. */
export function flowOf(text: Text, reading: Reading): Shape | undefined {
  const read = readPlpgsql(reading.routine.statement.sql, text.text);
  if (!read.ok) return undefined;
  const flow = new PlpgsqlFlow(text, reading, read.body.variables);
  for (let pass = 0; pass < passes; pass += 1) {
    const before = flow.size();
    flow.start();
    flow.run(read.body.code);
    if (flow.size() === before) break;
  }
  return flow.result();
}

interface Variable {
  readonly type: Known<string>;
  readonly taints: readonly Taint[];
}

class PlpgsqlFlow {
  private readonly text: Text;
  private readonly reading: Reading;
  private readonly variables = new Map<string, Variable>();
  private readonly initial: readonly { readonly name: string; readonly initial?: Piece }[];
  /** Of each column of the result. */
  private readonly results: (readonly Taint[])[] = [];
  private rows: readonly Taint[] = [];
  /** Of conditions: they decide what is given back. */
  private control: readonly Taint[] = [];

  constructor(text: Text, reading: Reading, variables: readonly { readonly name: string; readonly type?: string; readonly initial?: Piece }[]) {
    this.text = text;
    this.reading = reading;
    this.initial = variables;
    const types = typesIn(reading.run.catalog);
    const given = new Map(reading.parameters.map(parameter => [parameter.name, parameter]));
    for (const { name, type } of variables) {
      const parameter = given.get(name);
      this.variables.set(name, parameter !== undefined ? { type: parameter.type, taints: parameter.taints }
        : { type: (type === undefined ? undefined : types.parse(type)?.text) ?? unknown(`type of ${name}`), taints: [] });
    }
  }

  size(): number {
    let sum = this.rows.length + this.control.length;
    for (const { taints } of this.variables.values()) sum += taints.length;
    return this.results.reduce((total, taints) => total + taints.length, sum);
  }

  start(): void {
    for (const { name, initial } of this.initial) if (initial !== undefined) this.give(name, this.expression(initial));
  }

  run(code: readonly Code[]): void {
    code.forEach((step, at) => this.step(step, code[at + 1]));
  }

  result(): Shape {
    const names = this.outputs();
    const columns = Math.max(this.results.length, names.length, 1);
    return {
      open: false, facts: oneRow, rows: this.rows,
      columns: Array.from({ length: columns }, (_, at) => ({
        name: names[at] ?? 'result', type: unknown('type of the result'), literal: false, nullable: unknown('the result'), start: 0,
        taints: unionTaints(this.results[at] ?? [], this.variables.get(names[at] ?? '')?.taints ?? [], this.control),
      })),
    };
  }

  /** OUT parameters, which the caller gets whatever RETURN says. */
  private outputs(): readonly string[] {
    return this.reading.outputs ?? [];
  }

  private step(step: Code, next: Code | undefined): void {
    switch (step.kind) {
      case 'sql': return this.sql(step, next);
      case 'execute':
        this.expression(step.piece);
        if (this.reading.run.notes !== undefined) this.reading.run.notes.deeds.opaque = true;
        return undefined;
      case 'assign':
        if (step.expression !== undefined) this.give(step.name, this.expression(step.expression));
        return undefined;
      case 'if':
        for (const { condition, body } of step.arms) {
          this.decide(this.expression(condition));
          this.run(body);
        }
        return this.run(step.otherwise);
      case 'loop': return this.loop(step);
      case 'block':
        this.run(step.body);
        return step.handlers.forEach(handler => this.run(handler.body));
      case 'exit':
      case 'continue':
        if (step.condition !== undefined) this.decide(this.expression(step.condition));
        return undefined;
      case 'return':
        if (step.name !== undefined && this.outputs().length === 0) this.return([this.variables.get(step.name)?.taints ?? []]);
        return undefined;
      default: return undefined;
    }
  }

  private sql({ piece, into }: { readonly piece: Piece; readonly into?: Target }, next: Code | undefined): void {
    const shape = readPart(pieceText(this.text, piece), this.names(), this.reading);
    if (shape === undefined) return;
    const columns = shape.columns.map(column => unionTaints(column.taints, (shape.rows ?? []).filter(taint => taint.cause !== 'clock')));
    if (into !== undefined) this.assign(into, columns, shape);
    else if (piece.prefix !== undefined && next?.kind === 'return') this.return(columns.slice(0, 1));
    // A SELECT without a place for its result is refused, so this one is of RETURN QUERY.
    else if (piece.prefix === undefined && /^\s*(select|with|values|table|\()/i.test(this.text.text.slice(piece.start, piece.end))) {
      this.return(shape.columns.map(column => column.taints));
      this.rows = unionTaints(this.rows, shape.rows ?? []);
    }
  }

  private loop(step: Extract<Code, { kind: 'loop' }>): void {
    const { over, target } = step;
    if (over?.kind === 'array') this.assign(target, [this.expression(over.expression)]);
    if (over?.kind === 'numbers') this.assign(target, [unionTaints(this.expression(over.from), this.expression(over.to))]);
    if (over?.kind === 'query') {
      const shape = readPart(pieceText(this.text, over.query), this.names(), this.reading);
      if (shape !== undefined) this.assign(target, shape.columns.map(column => column.taints), shape);
    }
    this.run(step.body);
  }

  private assign(target: Target, columns: readonly (readonly Taint[])[], shape?: Shape): void {
    if (target.record) {
      const name = target.names[0] ?? '';
      this.give(name, unionTaints(...columns));
      shape?.columns.forEach((column, at) => this.give(`${name}.${column.name}`, columns[at] ?? []));
    } else target.names.forEach((name, at) => this.give(name, columns[at] ?? []));
  }

  private give(name: string, taints: readonly Taint[]): void {
    const known = this.variables.get(name) ?? { type: unknown(`type of ${name}`), taints: [] };
    this.variables.set(name, { ...known, taints: unionTaints(known.taints, taints) });
  }

  private return(columns: readonly (readonly Taint[])[]): void {
    columns.forEach((taints, at) => { this.results[at] = unionTaints(this.results[at] ?? [], taints); });
  }

  private decide(taints: readonly Taint[]): void {
    this.control = unionTaints(this.control, ofCondition(taints).filter(taint => (taint as Flow).decides !== true));
  }

  private expression(piece: Piece): readonly Taint[] {
    const text = joinTexts([plainText('SELECT '), pieceText(this.text, piece)]);
    return readPart(text, this.names(), this.reading)?.columns[0]?.taints ?? [];
  }

  /** Variables as the statements of the body see them; `record.field` is a field of the record. */
  private names(): Names {
    const columns: ScopeColumn[] = [];
    const records = new Map<string, ScopeColumn[]>();
    for (const [name, { type, taints }] of this.variables) {
      const [record, field] = name.split('.', 2) as [string, string | undefined];
      const column: ScopeColumn = { name: field ?? name, type, literal: false, nullable: unknown(`whether ${name} is NULL`), taints,
        ids: [newId(this.reading.run)], uses: [] };
      if (field === undefined) columns.push(column);
      else if (records.get(record)?.push(column) === undefined) records.set(record, [column]);
    }
    return { columns, records };
  }
}
