/** How the materialized views of a database differ from what the migrations make: the problems of no-drift. */
import { catalogFacts, compare } from '../live/facts.ts';
import type { Catalog, Matview, Name, Problem, Span } from '../model.ts';
import { quoteName } from '../sql/print.ts';
import type { Standing } from './standing.ts';

/** `matview app.daily: owner = eve` in its parts. */
interface Fact {
  readonly subject: string;
  readonly what: string;
  readonly value: string;
}

function factOf(line: string): Fact | undefined {
  const [, subject, what, value] = /^(.*?): (.*?) = (.*)$/s.exec(line) ?? [];
  return subject === undefined || what === undefined || value === undefined ? undefined : { subject, what, value };
}

const keyOf = ({ schema, name }: Name): string => `${schema}.${name}`;

/** What a side says alone, in words; `other` is what the other side says of the same. */
function words({ what, value }: Fact, here: boolean, other: Fact | undefined): string | undefined {
  const grant = /^(?:column (.*): )?grant (\S+) to (.*)$/.exec(what);
  if (grant) return `${here ? 'gives' : 'does not give'} ${grant[2] ?? ''}${grant[1] === undefined ? '' : ` of ${grant[1]}`} to ${grant[3] ?? ''}`;
  if (/^depends on (?:table|view|matview) /.test(what)) {
    const source = what.replace(/^depends on \w+ /, '');
    if (other !== undefined) return here ? `reads other columns of ${source}` : undefined;
    return here ? `reads ${source}` : `does not read ${source}`;
  }
  // Types, sequences and functions beneath: the replay does not see every one of them in a query.
  if (what.startsWith('depends on ')) return undefined;
  // A view that was refreshed or made without data since is as the migrations made it; one that lost its data is not.
  if (what === 'populated') return here && value === 'false' ? 'is not populated' : undefined;
  if (here) return `has ${what} ${value}${other === undefined ? '' : `, not ${other.value}`}`;
  return other === undefined ? `has no ${what} ${value}` : undefined;
}

function indexWords(name: string, replayed: readonly Fact[], found: readonly Fact[]): string | undefined {
  const exists = ({ what }: Fact): boolean => what === 'exists';
  if (found.some(exists)) return `has an index ${name} that no migration makes`;
  if (replayed.some(exists)) return `has no index ${name}`;
  const [changed] = found;
  return changed === undefined ? undefined : changed.what === 'valid' && changed.value === 'false' ? `has an invalid index ${name}` : `has another index ${name}`;
}

export interface DriftOptions {
  /** The replay and the server are of one major: rights that came with a version can be compared. */
  readonly sameMajor: boolean;
  /** `schema.name` of views whose query is another; none when nobody compared them. */
  readonly otherQueries?: ReadonlySet<string>;
}

/** The differences, a problem a view, at the statement that made it. Facts that the replay does not know are no differences, and none are told after blind code. */
export function driftOf({ last, made }: Standing, database: Catalog, { sameMajor, otherQueries }: DriftOptions): readonly Problem[] {
  if (last.blind === true) return [];
  const replay = last.end;
  const { replayedOnly, introspectedOnly } = compare(catalogFacts(replay), catalogFacts(database));
  const parsed = (lines: readonly string[]): readonly Fact[] => lines.map(factOf).filter(fact => fact !== undefined)
    .filter(({ what }) => sameMajor || !/grant MAINTAIN /.test(what));
  const [ours, theirs] = [parsed(replayedOnly), parsed(introspectedOnly)];
  const indexOwner = new Map<string, string>();
  for (const catalog of [replay, database])
    for (const relation of catalog.relations()) {
      const on = relation.kind === 'index' ? catalog.get(relation.on) : undefined;
      if (relation.kind === 'index' && on?.kind === 'matview') indexOwner.set(keyOf(relation.name), keyOf(on.name));
    }
  const of = (facts: readonly Fact[], subject: string): readonly Fact[] => facts.filter(fact => fact.subject === subject);
  const problems: Problem[] = [];
  for (const relation of replay.relations()) {
    if (relation.kind !== 'matview' || !replay.isCertain(relation.id) || relation.madeAt === undefined) continue;
    const name = keyOf(relation.name);
    const there = database.find(relation.name);
    const owner = there.is === 'present' ? there.object.owner : undefined;
    // What is given to the owner is nothing to give; whose the view is depends on who ran the migrations.
    const isOwn = ({ what }: Fact): boolean => typeof owner === 'string' && what.endsWith(` to ${owner}`) && what.includes('grant ');
    const [mine, found] = [of(ours, `matview ${name}`).filter(fact => !isOwn(fact)), of(theirs, `matview ${name}`)];
    const says = mine.some(({ what }) => what === 'exists') ? ['does not exist']
      : [...otherQueries?.has(name) === true ? ['has another query'] : [], ...differences(name, mine, found, indexOwner, ours, theirs)];
    if (says.length > 0) problems.push(problemOf(relation, relation.madeAt, says));
  }
  if (replay.world === 'closed') problems.push(...strangers(last.last, database, made));
  return problems;
}

function differences(
  name: string, mine: readonly Fact[], found: readonly Fact[], indexOwner: ReadonlyMap<string, string>, ours: readonly Fact[], theirs: readonly Fact[],
): readonly string[] {
  const same = (facts: readonly Fact[], { what }: Fact): Fact | undefined => facts.find(fact => fact.what === what);
  const own = [
    ...found.map(fact => words(fact, true, same(mine, fact))), ...mine.map(fact => words(fact, false, same(found, fact))),
  ];
  const indexes = [...indexOwner].filter(([, owner]) => owner === name).map(([index]) => index).toSorted().map(index => {
    const subject = `index ${index}`;
    const short = index.slice(index.indexOf('.') + 1);
    return indexWords(short, ours.filter(fact => fact.subject === subject), theirs.filter(fact => fact.subject === subject));
  });
  return [...new Set([...indexes, ...own].filter(text => text !== undefined))];
}

function problemOf(matview: Matview, span: Span, says: readonly string[]): Problem {
  const name = quoteName(matview.name);
  const shown = says.length > 4 ? [...says.slice(0, 3), `differs in ${says.length - 3} more ways`] : says;
  const list = shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
  return {
    span, relation: name, message: `${name} in the database is not what the migrations make: it ${list}.`,
    evidence: [{ span, says: `the migrations make ${name} here` }],
  };
}

/** Views that no migration ever made, at the last statement that the database has seen; only where the history makes every name it uses. */
function strangers(span: Span | undefined, database: Catalog, made: ReadonlySet<string>): readonly Problem[] {
  if (span === undefined) return [];
  const found: Problem[] = [];
  for (const relation of database.relations()) {
    if (relation.kind !== 'matview' || made.has(`matview ${keyOf(relation.name)}`)) continue;
    const name = quoteName(relation.name);
    found.push({
      span, relation: name, message: `${name} is in the database, and no migration makes it.`,
      evidence: [{ span, says: 'the last statement that the database has seen' }],
    });
  }
  return found.toSorted((a, b) => (a.message < b.message ? -1 : 1));
}
