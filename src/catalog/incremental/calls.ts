/** Calls of the functions of pg_ivm and pg_trickle, at whatever door the replay meets them. */
import type { Engine, Misuse, Span } from '../../model.ts';
import { tokensOf } from '../../sql/tokens.ts';
import type { FuncCall, Node } from '../../sql/tree.ts';
import { statementText } from '../../sql/text.ts';
import { isUnknown, nameSpan, refuse, spanAt, writtenFromList, type Change, type Outcome } from '../change.ts';
import { fold } from '../code/fold.ts';
import { hasHole, printed, unknownValue, type Value } from '../code/values.ts';
import {
  compareVersions, engineFunction, engineOfName, newestVersion, otherPgIvmFunctions, schemaOf, signatureText, type EngineFunction,
} from './functions.ts';
import { createImmv, refreshImmv, restoreImmv } from './immv.ts';
import { alterStreamTable, createStreamTable, dropStreamTable, switchStreamTable } from './stream-tables.ts';

/** A call with its arguments by the name of the parameter. */
export interface EngineCall {
  readonly called: EngineFunction;
  readonly values: ReadonlyMap<string, Value>;
  /** Where an argument stands; the function's name for one that is not given. */
  readonly place: (parameter: string) => Span;
}

/** Says that a statement runs, and that the engine does not do what it says. */
export function misuse(change: Change, what: Misuse): void {
  change.effects.push({ kind: 'misuseEngine', misuse: what, via: change.via });
}

/** The version of an engine that the history is for. */
export function versionOf(change: Change, engine: Engine): string {
  return change.store.engineVersions?.[engine] ?? newestVersion[engine] ?? '0';
}

/** Whether a function's name is that of an engine's. */
export function isEngineCall(change: Change, call: FuncCall): boolean {
  const { schema, name } = writtenFromList(call.funcname);
  if (schema !== undefined) return schema === 'pgivm' || schema === 'pgtrickle';
  return engineOfName(name) !== undefined && change.store.findRoutines({ name }).length === 0;
}

/** A call of one of them: what it changes in the catalog, or why Postgres refuses it. */
export function engineCall(change: Change, call: FuncCall): Outcome {
  const written = writtenFromList(call.funcname);
  const engine = written.schema === undefined ? engineOfName(written.name) : written.schema === 'pgivm' ? 'pg_ivm' : 'pg_trickle';
  if (engine === undefined) return undefined;
  const schema = schemaOf[engine] ?? '';
  const span = nameSpan(change, call.location);
  const called = engineFunction(schema, written.name);
  if (written.schema === undefined) {
    const path = change.store.session.searchPath;
    if (isUnknown(path)) return undefined;
    if (!path.includes(schema)) return unqualified(call, engine, called, span);
  }
  if (called === undefined) return unlisted(change, call, engine, span);
  if (called.since !== undefined && compareVersions(versionOf(change, engine), called.since) < 0) {
    const says = `pg_trickle ${versionOf(change, engine)} has no function ${called.name}, which came with ${called.since}`;
    return noFunction(call, { engine, code: 'version', says, span, ...(called.before === undefined ? {} : { instead: called.before }) });
  }
  const read = argumentsOf(change, call, called, span);
  return 'sqlstate' in read ? read : run(change, read);
}

function run(change: Change, call: EngineCall): Outcome {
  const { name } = call.called;
  if (call.called.strict === true) {
    const empty = call.called.parameters.find(parameter => call.values.get(parameter.name)?.is === 'null');
    if (empty !== undefined) {
      const says = `${call.called.schema}.${name} is STRICT, so with NULL for ${empty.name} it returns NULL and does nothing`;
      misuse(change, { engine: call.called.engine, code: 'null-argument', says, instead: signatureText(call.called),
        span: call.place(empty.name) });
      return undefined;
    }
  }
  switch (name) {
    case 'create_immv': return createImmv(change, call);
    case 'refresh_immv': return refreshImmv(change, call);
    case 'restore_immv': return restoreImmv(change, call);
    case 'create_stream_table': case 'create_stream_table_if_not_exists': case 'create_or_replace_stream_table': return createStreamTable(change, call);
    case 'alter_stream_table': return alterStreamTable(change, call);
    case 'drop_stream_table': return dropStreamTable(change, call);
    case 'pause_stream_table': case 'resume_stream_table': case 'refresh_stream_table': return switchStreamTable(change, call);
    default: return undefined;
  }
}

/** 42883 as Postgres words it: literals are of type unknown, other arguments are left out of the message. */
function noFunction(call: FuncCall, what: Misuse): Outcome {
  const { schema, name } = writtenFromList(call.funcname);
  const printedName = schema === undefined ? name : `${schema}.${name}`;
  return { ...refuse('42883', `function ${printedName} does not exist`, [{ span: what.span, says: what.says }]), misuse: what };
}

function unqualified(call: FuncCall, engine: 'pg_ivm' | 'pg_trickle', called: EngineFunction | undefined, span: Span): Outcome {
  const { name } = writtenFromList(call.funcname);
  const schema = schemaOf[engine] ?? '';
  const says = called === undefined ? `${engine} has no function ${name}`
    : `${name} stands in schema ${schema}, which is not on the search path`;
  const instead = called === undefined ? dropInstead : signatureText(called);
  return noFunction(call, { engine, code: called === undefined ? 'no-function' : 'unqualified', says, instead, span });
}

const dropInstead = 'DROP TABLE, for an IMMV is an ordinary table to Postgres';

/**
 * A function that the facts do not list. pg_ivm's are all known; of pg_trickle's only those that people call, so of others nothing is
 * claimed.
 */
function unlisted(change: Change, call: FuncCall, engine: 'pg_ivm' | 'pg_trickle', span: Span): Outcome {
  const { name } = writtenFromList(call.funcname);
  if (engine === 'pg_trickle' || otherPgIvmFunctions.has(name)) return undefined;
  const instead = name === 'drop_immv' ? dropInstead : 'create_immv, refresh_immv, restore_immv, get_immv_def';
  return noFunction(call, { engine, code: 'no-function', says: `pg_ivm ${versionOf(change, engine)} has no function ${name}`, instead,
    span });
}

/** Parameters that another version of pg_trickle has (facts §2.1). */
const foreignParameter = /^(?:ducklake_|orchestration_mode$)/;

function argumentsOf(change: Change, call: FuncCall, called: EngineFunction, span: Span): EngineCall | NonNullable<Outcome> {
  const scope = { catalog: change.store, postgres: change.postgres, variables: change.code?.variables ?? new Map<string, Value>() };
  const source = statementText(change.statement);
  const values = new Map<string, Value>();
  const places = new Map<string, Span>();
  const version = versionOf(change, called.engine);
  const parameters = called.parameters.filter(({ since }) => since === undefined || compareVersions(version, since) >= 0);
  const wrong = (says: string, at: Span): NonNullable<Outcome> =>
    noFunction(call, { engine: called.engine, code: 'arguments', says, instead: signatureText(called), span: at })!;
  for (const [at, arg] of (call.args ?? []).entries()) {
    const named = 'NamedArgExpr' in arg ? arg.NamedArgExpr : undefined;
    const name = named?.name ?? parameters[at]?.name;
    const place = argumentSpan(change, arg, span);
    if (name === undefined) return wrong(`${called.schema}.${called.name} takes ${parameters.length} arguments at most`, place);
    if (!parameters.some(parameter => parameter.name === name)) {
      if (called.engine === 'pg_trickle' && foreignParameter.test(name)) continue;
      return wrong(`${called.schema}.${called.name} has no parameter ${name}`, place);
    }
    const node = named === undefined ? arg : named.arg;
    values.set(name, node === undefined ? unknownValue : fold(node, source, scope));
    places.set(name, place);
  }
  const missing = parameters.find(parameter => parameter.default === undefined && !values.has(parameter.name));
  if (missing !== undefined && call.func_variadic !== true) return wrong(`${called.schema}.${called.name} is called without ${missing.name}`, span);
  return { called, values, place: parameter => places.get(parameter) ?? span };
}

/** From the name or the first token of an argument to the end of its value, where that is one token. */
function argumentSpan(change: Change, arg: Node, otherwise: Span): Span {
  const named = 'NamedArgExpr' in arg ? arg.NamedArgExpr : undefined;
  const inner = Object.values(named?.arg ?? arg)[0] as { readonly location?: number } | undefined;
  const start = named?.location ?? inner?.location;
  const last = inner?.location ?? start;
  if (start === undefined || last === undefined) return otherwise;
  for (const token of tokensOf(change.statement.sql, last)) return spanAt(change, start, token.end);
  return otherwise;
}

/** An argument as text; undefined where it is not known or not given. */
export function textArgument(call: EngineCall, name: string): string | undefined {
  const value = call.values.get(name);
  const text = value === undefined ? undefined : printed(value)?.text;
  return text === undefined || hasHole(text) ? undefined : text;
}

/** A boolean argument, or its default; undefined where it is not known. */
export function flagArgument(call: EngineCall, name: string, fallback: boolean): boolean | undefined {
  const value = call.values.get(name);
  if (value === undefined) return fallback;
  if (value.is === 'boolean') return value.value;
  if (value.is === 'text') return /^(?:t|true|on|yes|1)$/i.test(value.text.text) ? true : /^(?:f|false|off|no|0)$/i.test(value.text.text)
    ? false : undefined;
  return undefined;
}
