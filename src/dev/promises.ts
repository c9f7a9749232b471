/** The verdicts that fixtures promise (`-- want "…" confirmed`), put to the test on a server. */
import type { Host } from '../live/host.ts';
import { proveClaims, type Surprise } from '../live/prove.ts';
import type { Rule } from '../model.ts';
import { historyOf, lineOf, lintFixture, readFixtures, type Fixture, type Want } from './fixtures.ts';

export interface Kept {
  /** Promised findings that were not made. */
  readonly missing: readonly Want[];
  /** Promised findings with another verdict. */
  readonly wrong: readonly unknown[];
  readonly surprises: readonly Surprise[];
}

const isPromise = ({ verdict }: Want): boolean => verdict !== undefined;

/** The fixtures that promise a verdict, by a name for people. */
export function promisingFixtures(): readonly (readonly [string, Fixture])[] {
  return readFixtures().filter(({ wants }) => wants.some(isPromise)).map(fixture => [`${fixture.rule}/${fixture.name}`, fixture]);
}

export const promisesOf = ({ wants }: Fixture): readonly Want[] => wants.filter(isPromise);

/** Tries what a fixture promises of its own rule; `postgres`: the major that its findings are about. */
export async function tried(fixture: Fixture, rules: readonly Rule[], host: Host, postgres: number): Promise<Kept> {
  const history = historyOf(fixture);
  const [linted] = lintFixture(fixture, rules, history).claims;
  const claims = (linted?.claims ?? []).filter(({ finding }) => finding.rule === fixture.rule);
  const { verdicts, surprises } = await proveClaims(history, claims, linted?.predicted ?? new Map(), { budget: 60_000, postgres, host });
  const seen = claims.map(claim => {
    const { finding: { span, message } } = claim;
    return { path: span.path, line: lineOf(fixture, span.path, span.start), message, verdict: verdicts.get(claim) };
  });
  const missing: Want[] = [];
  const wrong: unknown[] = [];
  for (const want of promisesOf(fixture)) {
    const found = seen.filter(({ path, line, message }) => path === want.path && line === want.line && message.includes(want.message));
    if (found.length === 0) missing.push(want);
    else if (!found.some(({ verdict }) => verdict?.kind === want.verdict)) wrong.push({ want, found });
  }
  return { missing, wrong, surprises };
}
