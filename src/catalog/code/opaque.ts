import type { Span } from '../../model.ts';
import { tokenize } from '../../sql/tokens.ts';
import { hasHole } from './values.ts';
import { gap, meetStranger, type Change, type Outcome } from '../change.ts';

const changing = /^(create|alter|drop|refresh|grant|revoke|execute|call|comment|truncate)$/i;

/**
 * Code that mvlint does not follow. One gap (unless it is said already), and every relation that the text names is unknown from here on.
 * Code without a word that changes anything is left alone, unless a part of it is data. What data alone names stays known: one EXECUTE of a
 * variable would blind the rest of the history.
 */
export function opaque(change: Change, text: string, because: string | undefined, span?: Span): Outcome {
  const tokens = tokenize(text);
  if (!hasHole(text) && !tokens.some(token => token.kind === 'word' && changing.test(text.slice(token.start, token.end)))) return undefined;
  const words = new Set(tokens.filter(token => token.kind === 'word' || token.kind === 'quotedIdentifier' || token.kind === 'string')
    .flatMap(token => text.slice(token.start, token.end).toLowerCase().split(/[^\w$]+/u)));
  for (const word of words) {
    const found = word === '' ? undefined : change.store.find({ name: word });
    if (found?.is === 'present') change.store.cloud(found.object.name);
  }
  meetStranger(change);
  change.blind.is = true;
  if (because !== undefined) gap(change, because, span);
  return undefined;
}
