/** What a materialized view had and its successor of the same name has not. */
import type { Context, Effect, Matview, Name, Problem, Selectable } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { countsAfter } from './experiments.ts';
import { evidence, isSelectable } from './facts.ts';
import { givenWords, isBlind, replacements, takenWords } from './replacements.ts';
import { list, qualified, quote } from './words.ts';

export interface Lost {
  readonly words: string;
  /** SQL that is true of a relation while this is missing. */
  readonly missing: (relation: Name) => string;
}

/** A relation as a value of SQL; NULL where there is none of that name. */
export const regclass = (name: Name): string => `to_regclass(${quoteLiteral(qualified(name))})`;

/** One problem for each replaced view that has lost something. Where nobody can tell what the deploy's code did, nothing is said. */
export function* lostInReplacements(
  end: Effect & { readonly kind: 'endOfDeploy' }, context: Context, lostBy: (old: Matview, now: Selectable) => readonly Lost[],
): Iterable<Problem> {
  if (isBlind(end)) return;
  for (const replacement of replacements(end, context)) {
    const { old, now, taken, given } = replacement;
    const lost = lostBy(old, now);
    if (lost.length === 0) continue;
    const name = quote(old.name);
    const words = list(lost.map(each => each.words));
    yield {
      span: given.effect.via.span,
      message: `${name} has lost ${words}.`,
      relation: name,
      stillTrue: last => {
        const found = last.find(old.name);
        const still = found.is === 'present' && isSelectable(found.object) ? lostBy(old, found.object) : [];
        return lost.some(one => still.some(each => each.words === one.words));
      },
      evidence: [evidence(taken.effect.via.span, takenWords(replacement)), evidence(given.effect.via.span, `${givenWords(replacement)}, without ${words}`)],
      experiment: countsAfter({
        of: old.name, expected: lost.length,
        count: of => `SELECT CASE WHEN ${regclass(of)} IS NOT NULL THEN ${lost.map(({ missing }) => `(${missing(of)})::int`).join(' + ')} END`,
        says: `After the migration Postgres finds none of it on ${name}.`, otherwise: `After the migration Postgres finds it on ${name}.`,
      }),
    };
  }
}
