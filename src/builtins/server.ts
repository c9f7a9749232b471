import type { BuiltinCast, BuiltinFunction, BuiltinOperator, BuiltinType } from './rows.ts';

/** Asks a server one query; a client of `pg` and PGlite fit. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** The whole built-in catalog of one server. */
export interface ServerCatalog {
  readonly functions: readonly BuiltinFunction[];
  readonly operators: readonly BuiltinOperator[];
  readonly casts: readonly BuiltinCast[];
  readonly types: readonly BuiltinType[];
}

/** A type as the tables name it: typname, arrays by their element. */
const named = (oid: string): string =>
  `(select case when e.oid is not null then e.typname || '[]' else n.typname end from pg_type n left join pg_type e on e.typarray = n.oid where n.oid = ${oid})`;
const types = (oids: string): string =>
  `array(select ${named('u.o')} from unnest(${oids}::oid[]) with ordinality u(o, at) order by at)::text[]`;
const volatility = (column: string): string => `case ${column} when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end`;

/** No expression can have a value of these, so no call reaches their functions. */
const unreachable = `'internal', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler', 'index_am_handler', 'tsm_handler', 'table_am_handler'`;

/**
 * Functions of pg_catalog that an expression can call: those with an argument or a result of a handler's type are left out, and so is what
 * initdb or
 * an extension did not make (an OID of 16384 or more is a user's).
 */
const functionsSql = `
  select p.proname as name, ${types('p.proargtypes')} as args, ${named('p.prorettype')} as result, p.proretset as "returnsSet",
    case p.prokind when 'a' then 'aggregate' when 'w' then 'window' when 'p' then 'procedure' else 'function' end as kind,
    ${volatility('p.provolatile')} as volatility, p.proisstrict as strict,
    case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel, p.pronargdefaults as defaults,
    case when p.provariadic <> 0 then ${named('p.provariadic')} end as variadic, p.proargnames::text[] as names,
      p.proargmodes::text[] as modes,
    case when p.proallargtypes is not null then ${types('p.proallargtypes')} end as "allTypes", a.aggkind as aggkind,
      a.aggnumdirectargs as direct
  from pg_proc p left join pg_aggregate a on a.aggfnoid = p.oid
  where p.pronamespace = 'pg_catalog'::regnamespace and p.oid < 16384
    and not exists (select from pg_type t where t.typname in (${unreachable}) and (t.oid = p.prorettype or t.oid = any(p.proargtypes)))
  order by p.proname, p.oid`;

const operatorsSql = `
  select o.oprname as name, case when o.oprleft <> 0 then ${named('o.oprleft')} end as left, ${named('o.oprright')} as right,
    ${named('o.oprresult')} as result, p.proname as function, ${types('p.proargtypes')} as args
  from pg_operator o join pg_proc p on p.oid = o.oprcode
  where o.oprnamespace = 'pg_catalog'::regnamespace and o.oid < 16384 order by o.oprname, o.oid`;

const castsSql = `
  select ${named('c.castsource')} as source, ${named('c.casttarget')} as target,
    case c.castcontext when 'e' then 'explicit' when 'a' then 'assignment' else 'implicit' end as context,
    case c.castmethod when 'f' then 'function' when 'b' then 'binary' else 'inout' end as method, p.proname as function,
      ${types('p.proargtypes')} as args
  from pg_cast c left join pg_proc p on p.oid = c.castfunc where c.oid < 16384 order by 1, 2`;

/** Arrays and the row types of system relations have no rows of their own: an array is `<element>[]`. */
const typesSql = `
  select t.typname as name, format_type(t.oid, -1) as printed,
    case t.typtype when 'b' then 'base' when 'c' then 'composite' when 'd' then 'domain' when 'e' then 'enum' when 'p' then 'pseudo' when 'r' then 'range'
      else 'multirange' end as kind,
    t.typcategory as category, t.typispreferred as preferred, ${volatility('i.provolatile')} as input,
      ${volatility('o.provolatile')} as output,
    t.typarray <> 0 as "hasArray", case when t.typelem <> 0 then ${named('t.typelem')} end as element,
    t.typsubscript::oid = 'array_subscript_handler'::regproc as "isArray", t.typcollation <> 0 as collatable,
      t.typmodin::oid <> 0 as modifiers,
    exists (select from pg_opclass c join pg_am m on m.oid = c.opcmethod where m.amname = 'btree' and c.opcdefault and c.opcintype = t.oid) as btree,
    exists (select from pg_opclass c join pg_am m on m.oid = c.opcmethod where m.amname = 'hash' and c.opcdefault and c.opcintype = t.oid) as hash,
    case when t.typbasetype <> 0 then ${named('t.typbasetype')} end as base,
    (select array[${named('r.rngsubtype')}, ${named('r.rngtypid')}, ${named('r.rngmultitypid')}]::text[] from pg_range r
      where t.oid in (r.rngtypid, r.rngmultitypid)) as range
  from pg_type t join pg_proc i on i.oid = t.typinput::oid join pg_proc o on o.oid = t.typoutput::oid
  where t.typnamespace = 'pg_catalog'::regnamespace and t.oid < 16384 and t.typrelid = 0
    and not exists (select from pg_type e where e.typarray = t.oid)
  order by t.typname`;

type Row = Readonly<Record<string, unknown>>;
const strings = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const optional = (value: unknown): string | undefined => (value === null || value === undefined ? undefined : String(value));

function functionOf(row: Row): BuiltinFunction {
  const args = strings(row['args']);
  const modes = strings(row['modes']);
  const all = strings(row['allTypes']);
  const names = strings(row['names']);
  const isInput = (at: number): boolean => modes.length === 0 || 'ibv'.includes(modes[at] ?? 'i');
  const inputs = names.filter((_, at) => isInput(at)).slice(0, args.length);
  const columns = all.flatMap((type, at) => ('obt'.includes(modes[at] ?? 'i') ? [{ name: names[at] ?? '', type }] : []));
  const variadic = optional(row['variadic']);
  const aggkind = optional(row['aggkind']);
  return {
    name: String(row['name']), arguments: args, result: String(row['result']), returnsSet: row['returnsSet'] === true,
    kind: row['kind'] as BuiltinFunction['kind'], volatility: row['volatility'] as BuiltinFunction['volatility'],
      strict: row['strict'] === true,
    parallel: row['parallel'] as BuiltinFunction['parallel'], defaults: Number(row['defaults']),
    ...(variadic === undefined ? {} : { variadic }),
    ...(inputs.some(name => name !== '') ? { names: inputs } : {}),
    ...(columns.length === 0 ? {} : { columns }),
    ...(aggkind === undefined ? {} : { aggregate: { kind: aggkind === 'n' ? 'normal' : aggkind === 'o' ? 'ordered' : 'hypothetical',
      direct: Number(row['direct']) } }),
  };
}

function operatorOf(row: Row): BuiltinOperator {
  const left = optional(row['left']);
  return {
    name: String(row['name']), right: String(row['right']), result: String(row['result']), function: String(row['function']),
    functionArguments: strings(row['args']), ...(left === undefined ? {} : { left }),
  };
}

function castOf(row: Row): BuiltinCast {
  const implementation = optional(row['function']);
  return {
    source: String(row['source']), target: String(row['target']), context: row['context'] as BuiltinCast['context'],
    method: row['method'] as BuiltinCast['method'],
    ...(implementation === undefined ? {} : { function: implementation, functionArguments: strings(row['args']) }),
  };
}

function typeOf(row: Row): BuiltinType {
  const element = optional(row['element']);
  const base = optional(row['base']);
  const [subtype, range, multirange] = strings(row['range']);
  return {
    name: String(row['name']), printed: String(row['printed']), kind: row['kind'] as BuiltinType['kind'], category: String(row['category']),
    preferred: row['preferred'] === true, input: row['input'] as BuiltinType['input'], output: row['output'] as BuiltinType['output'],
    hasArray: row['hasArray'] === true, btree: row['btree'] === true, hash: row['hash'] === true, collatable: row['collatable'] === true,
    modifiers: row['modifiers'] === true,
    ...(element === undefined ? {} : { element: { type: element, array: row['isArray'] === true } }),
    ...(base === undefined ? {} : { base }),
    ...(subtype === undefined ? {} : { range: { subtype, range: range!, multirange: multirange! } }),
  };
}

/** Reads the built-in catalogs of a server. Rejects with what the server says. */
export async function readServer(ask: Ask): Promise<ServerCatalog> {
  return {
    functions: (await ask(functionsSql)).map(functionOf),
    operators: (await ask(operatorsSql)).map(operatorOf),
    casts: (await ask(castsSql)).map(castOf),
    types: (await ask(typesSql)).map(typeOf),
  };
}
