import type { Catalog, Claim, Finding, History, Observe, Statement } from '../model.ts';
import { normalText } from '../sql/tokens.ts';
import type { Places, Raised } from './places.ts';
import { gravity } from './severity.ts';

/** A finding in the making, and where its fingerprint comes from. */
export interface Draft {
  readonly raised: Raised;
  readonly finding: Omit<Finding, 'fingerprint'>;
  readonly fingerprint: () => string;
}

/** The finding of a draft. Its fingerprint is made when somebody asks: formats for people show none, and hashes cost (measured: 1,000 files a fiftieth). */
export const finished = ({ finding, fingerprint }: Pick<Draft, 'finding' | 'fingerprint'>): Finding => ({ ...finding, get fingerprint() { return fingerprint(); } });

/** A finding as a database is asked about it; `order` is the place of its migration among the judged runs. */
export interface Observation {
  readonly finding: Finding;
  readonly observe?: Observe;
  readonly order?: number;
}

const digest = (text: string): string => process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');

/** Drafts of problems. The problems come in report order, before anything is dropped: that decides who is first among equals. */
export function draftsOf(history: History, raised: readonly Raised[], places: Places): readonly Draft[] {
  const findings = raised.map(({ rule, severity, problem: { span, message, relation, fixes, evidence } }): Draft['finding'] => ({
    history: history.id, rule, severity, message, span, ...(relation === undefined ? {} : { relation }),
    evidence: evidence?.length ? evidence : [{ span, says: message }], fixes: fixes === undefined || typeof fixes === 'function' ? [] : fixes, also: [],
  }));
  const fingerprint = fingerprintOf(findings, places);
  return findings.map((finding, at): Draft => ({ raised: raised[at]!, finding, fingerprint: fingerprint(at) }));
}

/** Where the fingerprints of findings come from, all made with the first. A report is kept for long: it keeps the findings with it, no steps and no catalogs. */
function fingerprintOf(findings: readonly Draft['finding'][], places: Places): (at: number) => () => string {
  let known: readonly string[] | undefined;
  return at => () => (known ??= fingerprints(findings, places))[at] ?? '';
}

/** Fingerprints of all, which survive moves of lines and files. */
function fingerprints(findings: readonly Draft['finding'][], places: Places): readonly string[] {
  const texts = new Map<Statement, string>();
  const equals = new Map<string, number>();
  return findings.map(({ history, rule, relation, message, span, evidence }) => {
    const statement = places.at(evidence.at(-1)?.span ?? span)?.statement;
    if (statement !== undefined && !texts.has(statement)) texts.set(statement, digest(normalText(statement.sql)));
    // A file that is never run has no statement; its finding is told from its like by what it says.
    const identity = JSON.stringify([rule, history, relation ?? '', statement === undefined ? digest(message) : texts.get(statement)]);
    const ordinal = equals.get(identity) ?? 0;
    equals.set(identity, ordinal + 1);
    return digest(`${identity}\0${ordinal}`);
  });
}

/** The draft with the fixes that wait for the end of the history. A rule that throws there has none. */
export function withFixes(draft: Draft, end: Catalog, crash: (rule: string, path: string, error: unknown) => void): Draft {
  const { problem: { fixes, span }, rule } = draft.raised;
  if (typeof fixes !== 'function') return draft;
  try {
    return { ...draft, finding: { ...draft.finding, fixes: fixes(end) } };
  } catch (error) {
    crash(rule, span.path, error);
    return draft;
  }
}

/** The order of headlines: the smaller number is the graver mistake. */
function rank(rule: string): number {
  const index = ['no-recreate-in-place', 'no-drop-cascade', 'no-broken-refresh'].indexOf(rule);
  return index >= 0 ? index : rule.startsWith('no-lost-') ? 3 : 4;
}

/**
 * The findings of one mistake: of one migration and one relation, which begin at the same cause statement or stand at the same statement. What another
 * migration did wrong with the relation is a mistake of its own, with a place of its own.
 */
function mistakes(drafts: readonly Draft[], places: Places): readonly (readonly Draft[])[] {
  const ids = new Map<Statement, number>();
  const idOf = (statement: Statement): number => ids.get(statement) ?? (ids.set(statement, ids.size), ids.size - 1);
  const leaders = drafts.map((_, at) => at);
  const leaderOf = (at: number): number => {
    let leader = at;
    while (leaders[leader] !== leader) leader = leaders[leader] ?? leader;
    leaders[at] = leader;
    return leader;
  };
  const firstOf = new Map<string, number>();
  for (const [at, { raised, finding: { evidence, span, relation } }] of drafts.entries()) {
    const owner = places.at(span);
    if (relation === undefined || owner === undefined) continue;
    for (const statement of [places.at(evidence[0]?.span ?? span)?.statement, owner.statement]) {
      if (statement === undefined) continue;
      const key = `${owner.migration.id}\0${raised.down === true ? 'down' : 'up'}\0${idOf(statement)}\0${relation}`;
      const first = firstOf.get(key);
      if (first === undefined) firstOf.set(key, at);
      else leaders[leaderOf(at)] = leaderOf(first);
    }
  }
  const groups = new Map<number, Draft[]>();
  for (const [at, draft] of drafts.entries()) {
    const leader = leaderOf(at);
    if (groups.get(leader)?.push(draft) === undefined) groups.set(leader, [draft]);
  }
  return [...groups.values()];
}

/** Files each finding whose cause statement and relation are those of a graver one under that one. */
export function merge(drafts: readonly Draft[], places: Places):
{ findings: readonly Finding[]; claims: readonly Claim[]; observations: readonly Observation[] } {
  const grave = ({ finding }: Draft): number => rank(finding.rule) * 10 + gravity.indexOf(finding.severity);
  const heads = new Map<Draft, Draft[]>();
  for (const group of mistakes(drafts, places)) {
    const gravest = Math.min(...group.map(grave));
    const first = group.find(draft => grave(draft) === gravest);
    for (const draft of group)
      if (grave(draft) === gravest) heads.set(draft, draft === first ? group.filter(other => grave(other) > gravest) : []);
  }
  const claims: Claim[] = [];
  const observations: Observation[] = [];
  const claimed = ({ raised }: Draft, finding: Finding): Finding => {
    const { observe } = raised.problem;
    observations.push({ finding, ...(observe === undefined ? {} : { observe }), ...(raised.owner === undefined ? {} : { order: raised.owner.order }) });
    if (raised.problem.experiment !== undefined && raised.down !== true) claims.push({ finding, ordinal: raised.ordinal, experiment: raised.problem.experiment });
    return finding;
  };
  const findings = drafts.flatMap(draft => {
    const lesser = heads.get(draft);
    if (lesser === undefined) return [];
    const also = lesser.toSorted((a, b) => grave(a) - grave(b)).map(other => claimed(other, finished(other)));
    return [claimed(draft, finished({ ...draft, finding: { ...draft.finding, also } }))];
  });
  return { findings, claims, observations };
}
