import type { Catalog, CatalogObject, Column, Constraint, Grants, Index, Known, Matview, ObjectId, Routine, Selectable } from '../model.ts';

/** The value of a fact that its catalog does not know. */
const unknownValue = '?';

const isUnknown = (value: unknown): value is { readonly unknown: string } => typeof value === 'object' && value !== null && 'unknown' in value;
const shown = (value: Known<string | boolean>): string => (isUnknown(value) ? unknownValue : String(value));

function nameOf(object: CatalogObject | undefined): string | undefined {
  if (!object) return undefined;
  switch (object.kind) {
    case 'schema': case 'role': case 'extension': return object.name;
    case 'trigger': case 'policy': return object.name;
    case 'routine': return `${object.name.schema}.${object.name.name}(${isUnknown(object.arguments) ? unknownValue : object.arguments.join(', ')})`;
    default: return `${object.name.schema}.${object.name.name}`;
  }
}

/** `WITH (security_barrier)` and `=true` are one option; Postgres keeps booleans as they were written, so both are folded. */
const optionValue = (value: string): string => (/^(on|yes|1|true)$/i.test(value) ? 'true' : /^(off|no|0|false)$/i.test(value) ? 'false' : value);

function grantFacts(subject: string, grants: Grants, owner: Known<string>, inDoubt?: readonly string[]): string[] {
  // Which of them a branch may have given is not kept.
  if (inDoubt?.includes('grant') === true) return [];
  return [...grants].filter(([grantee]) => grantee !== owner).flatMap(([grantee, privileges]) => [...privileges].map(privilege => `${subject}: grant ${privilege} to ${grantee} = yes`));
}

function columnFacts(subject: string, columns: Known<readonly Column[]>, isView: boolean, owner: Known<string>): string[] {
  if (isUnknown(columns)) return [`${subject}: columns = ${unknownValue}`];
  return [
    `${subject}: columns = ${columns.map(column => column.name).join(', ')}`,
    ...columns.flatMap(column => [
      `${subject}: column ${column.name} type = ${shown(column.type)}`,
      ...(isView ? [] : [`${subject}: column ${column.name} not null = ${shown(column.notNull)}`]),
      ...(column.comment === undefined ? [] : [`${subject}: column ${column.name} comment = ${column.comment}`]),
      ...grantFacts(`${subject}: column ${column.name}`, column.grants ?? new Map(), owner),
    ]),
  ];
}

const constraintFact = (catalog: Catalog, constraint: Constraint): string => {
  const parent = constraint.references === undefined ? '' : ` references ${nameOf(catalog.get(constraint.references)) ?? unknownValue}`;
  // Postgres lists the columns a CHECK mentions, in its own order; what a CHECK says is not compared.
  return constraint.kind === 'check' ? 'check' : `${constraint.kind} (${constraint.columns.join(', ')})${parent}`;
};

/** Expressions and predicates are compared by being there only: Postgres prints them anew, with casts and parentheses of its own. */
function indexShape(index: Index): string {
  const columns = index.columns.map(column => [
    column.column ?? '(expression)', ...(column.descending ? ['desc'] : []), ...(column.nullsFirst === column.descending ? [] : [column.nullsFirst ? 'nulls first' : 'nulls last']),
    ...(column.opclass === undefined ? [] : [column.opclass]), ...(column.collation === undefined ? [] : [`collate ${column.collation}`]),
  ].join(' '));
  return [
    ...(index.unique ? ['unique'] : []), index.method, `(${columns.join(', ')})`, ...(index.include.length > 0 ? [`include (${index.include.join(', ')})`] : []),
    ...(index.nullsNotDistinct ? ['nulls not distinct'] : []), ...(index.predicate === undefined ? [] : ['where']),
  ].join(' ');
}

function selectableFacts(catalog: Catalog, subject: string, object: Selectable): string[] {
  const facts = [...columnFacts(subject, object.columns, object.kind !== 'table', object.owner), ...grantFacts(subject, object.grants, object.owner, object.inDoubt)];
  if (object.kind === 'table') {
    facts.push(...object.constraints.map(constraint => `${subject}: constraint ${constraint.name} = ${constraintFact(catalog, constraint)}`));
    facts.push(...object.inherits.map(parent => `${subject}: inherits ${nameOf(catalog.get(parent)) ?? unknownValue} = yes`));
    facts.push(`${subject}: persistence = ${object.persistence}`, `${subject}: partitioned = ${object.partitioned}`, `${subject}: row security = ${object.rowSecurity}`);
  } else facts.push(...viewDependencies(catalog, subject, object.id));
  if (object.kind === 'matview') facts.push(...matviewFacts(catalog, subject, object));
  return facts;
}

/** What a view holds on to. Columns only where both sides can name them. */
function viewDependencies(catalog: Catalog, subject: string, id: ObjectId): string[] {
  const merged = new Map<string, Set<string>>();
  const whole = new Set<string>();
  for (const link of catalog.dependencies(id)) {
    const on = catalog.get(link.on);
    if (!on || on.kind === 'schema' || on.kind === 'role' || on.kind === 'extension') continue;
    const name = `${on.kind} ${nameOf(on) ?? unknownValue}`;
    merged.set(name, new Set([...(merged.get(name) ?? []), ...(link.columns ?? [])]));
    // Of columns that a branch may have renamed both names are kept.
    if (isRelationLink(on) && (link.columns === undefined || ('columns' in on && isUnknown(on.columns)))) whole.add(name);
  }
  return [...merged].map(([name, columns]) => `${subject}: depends on ${name} = ${whole.has(name) ? unknownValue : [...columns].sort().join(', ')}`);
}

const isRelationLink = (object: CatalogObject): boolean => object.kind === 'table' || object.kind === 'view' || object.kind === 'matview';

function matviewFacts(catalog: Catalog, subject: string, object: Matview): string[] {
  return [
    `${subject}: populated = ${shown(object.populated)}`,
    ...[...object.statistics].map(([column, target]) => `${subject}: column ${column} statistics = ${target}`),
    ...(object.clusteredOn === undefined ? [] : [`${subject}: clustered on = ${nameOf(catalog.get(object.clusteredOn)) ?? unknownValue}`]),
  ];
}

function routineFacts(subject: string, routine: Routine): string[] {
  return [
    `${subject}: returns = ${shown(routine.returns)}`, `${subject}: language = ${routine.language}`, `${subject}: volatility = ${shown(routine.volatility)}`,
    ...[...routine.settings].map(([name]) => `${subject}: setting ${name} = yes`),
  ];
}

/** pg_depend's links of sequences are `ownedBy`; of indexes, the relation they stand on. */
function ownLinks(catalog: Catalog, object: CatalogObject, subject: string): string[] {
  if (object.kind === 'index') return [`${subject}: on = ${catalog.isCertain(object.on) ? nameOf(catalog.get(object.on)) ?? unknownValue : unknownValue}`, `${subject}: shape = ${indexShape(object)}`, `${subject}: valid = ${shown(object.valid)}`];
  if (object.kind === 'sequence') return [`${subject}: owned by = ${object.ownedBy ? `${nameOf(catalog.get(object.ownedBy.table)) ?? unknownValue}.${object.ownedBy.column}` : 'nobody'}`];
  if (object.kind === 'type') return [`${subject}: form = ${object.form}`, ...(object.form === 'range' || object.form === 'composite' ? [] : [`${subject}: detail = ${object.detail.join(', ')}`])];
  return [];
}

function objectFacts(catalog: Catalog, object: CatalogObject): readonly string[] {
  if (object.kind === 'trigger' || object.kind === 'policy') return [`${object.kind} ${object.name} on ${nameOf(catalog.get(object.on)) ?? unknownValue}: exists = ${catalog.isCertain(object.id) ? 'yes' : unknownValue}`];
  const subject = `${object.kind} ${nameOf(object) ?? unknownValue}`;
  if (!catalog.isCertain(object.id))
    return [`${subject}: exists = ${unknownValue}`, ...catalog.otherNames(object.id).map(({ schema, name }) => `${object.kind} ${schema}.${name}: exists = ${unknownValue}`)];
  const facts = [`${subject}: exists = yes`, ...(object.inDoubt ?? []).map(word => `${subject}: ${word}* = ${unknownValue}`)];
  if (object.kind === 'role') return object.superuser ? [] : facts;
  if (object.kind === 'extension') return facts;
  facts.push(`${subject}: owner = ${shown(object.owner)}`);
  if (object.kind === 'schema') return [...facts, ...grantFacts(subject, object.grants, object.owner, object.inDoubt)];
  if (object.kind === 'routine') return [...facts, ...routineFacts(subject, object)];
  facts.push(...ownLinks(catalog, object, subject));
  if (object.kind === 'type') return facts;
  for (const [key, value] of object.options) facts.push(`${subject}: option ${key} = ${optionValue(value)}`);
  if (object.comment !== undefined) facts.push(`${subject}: comment = ${shown(object.comment)}`);
  if (object.tablespace !== undefined) facts.push(`${subject}: tablespace = ${object.tablespace}`);
  if (object.kind === 'sequence') return [...facts, ...grantFacts(subject, object.grants, object.owner, object.inDoubt)];
  return object.kind === 'index' ? facts : [...facts, ...selectableFacts(catalog, subject, object)];
}

/**
 * What a catalog says, one comparable line a fact: `matview public.v: populated = true`. An unknown value is `?`. Sorted; user objects only.
 * Left out: the text of queries, expressions, predicates, defaults, checks and bodies, which Postgres prints in words of its own.
 */
export function catalogFacts(catalog: Catalog): readonly string[] {
  const facts = new Set<string>();
  for (const object of catalog.objects()) for (const fact of objectFacts(catalog, object)) facts.add(fact);
  return [...facts].sort();
}

export interface Comparison {
  readonly agreed: readonly string[];
  readonly replayedOnly: readonly string[];
  readonly introspectedOnly: readonly string[];
  /** Facts of the database that the replay says it does not know. Never counted as agreement. */
  readonly unknown: readonly string[];
}

/** The name that a fact is about: `matview public.v: populated = true` is about `public.v`. */
const nameIn = (fact: string): string => fact.slice(fact.indexOf(' ') + 1, fact.indexOf(': '));
const keyOf = (fact: string): string => fact.slice(0, fact.indexOf(' = '));

/** Compares the facts of a replay with those of a database. */
export function compare(replayed: readonly string[], introspected: readonly string[]): Comparison {
  const there = new Set(introspected);
  const known = new Set(replayed);
  const unknownKeys = new Set(replayed.filter(fact => fact.endsWith(` = ${unknownValue}`)).map(keyOf));
  // Facts of columns stand behind an unknown list of columns; a routine with unknown arguments behind none of its own names.
  const unknownLists = [...unknownKeys].filter(key => key.endsWith(': columns')).map(key => `${key.slice(0, -1)} `);
  // Nothing is claimed of an object whose existence is in doubt, whatever kind it has by now; nor of what stands on it.
  const doubtful = new Set([...unknownKeys].filter(key => key.endsWith(': exists')).map(nameIn));
  for (const fact of introspected) {
    const [, index = '', relation = ''] = /^index (.*): on = (.*)$/.exec(fact) ?? [];
    if (doubtful.has(relation)) doubtful.add(index);
  }
  const isDoubtful = (fact: string): boolean => doubtful.has(nameIn(fact)) || doubtful.has(/: depends on \w+ (.*) = /.exec(fact)?.[1] ?? '') || doubtful.has(nameIn(fact).replace(/^.* on /, ''));
  const prefixes = [...unknownKeys].filter(key => key.endsWith('*')).map(key => key.slice(0, -1));
  const isUnknownTo = (fact: string): boolean => isDoubtful(fact) || prefixes.some(prefix => fact.startsWith(prefix)) || unknownKeys.has(keyOf(fact)) || unknownLists.some(prefix => fact.startsWith(prefix));
  return {
    agreed: introspected.filter(fact => known.has(fact)),
    replayedOnly: replayed.filter(fact => !there.has(fact) && !fact.endsWith(` = ${unknownValue}`)),
    introspectedOnly: introspected.filter(fact => !known.has(fact) && !isUnknownTo(fact)),
    unknown: introspected.filter(fact => !known.has(fact) && isUnknownTo(fact)),
  };
}

