import type { RefreshSite, WrittenName } from '../../model.ts';
import { identifierText, tokenize, type Token } from '../../sql/tokens.ts';

/** A refresh that stands outside of the migrations: in the application's code, or in the configuration. */
export type OutsideSite = Omit<RefreshSite, 'searchPath'>;

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';
/** What a name made from data goes on with in some language: `mv_${x}`, `mv_%s`, `mv_#{x}`, `mv_{x}`. */
const goesOn = /^[$#%{<\\@]/;

/**
 * REFRESH MATERIALIZED VIEW in a source of any language. A plain search: the text after the words is read as SQL, a name that is made from
 * data is no site, nor is one in a line comment (`//`, `#`, `--`, `*`). Offsets are UTF-16 units of the text.
 */
export function refreshesInSource(path: string, text: string): readonly OutsideSite[] {
  return [...text.matchAll(/\brefresh\s+materialized\s+view\s/gi)].flatMap((match): readonly OutsideSite[] => {
    const lineStart = text.lastIndexOf('\n', match.index) + 1;
    if (/^\s*(?:\/\/|#|--|\*|\/\*)|\s\/\/\s/.test(text.slice(lineStart, match.index))) return [];
    const start = match.index + match[0].length;
    const tail = text.slice(start, start + 300);
    const read = nameAfter(tail);
    if (read === undefined) return [];
    return [{ target: read.target, concurrently: read.concurrently, by: 'code', holder: `the code in ${path}`, span: { path, start: match.index, end: start + read.end } }];
  });
}

function nameAfter(tail: string): { readonly target: WrittenName; readonly concurrently: boolean; readonly end: number } | undefined {
  const tokens = tokenize(tail).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  const concurrently = tokens[0]?.kind === 'word' && /^concurrently$/i.test(tail.slice(tokens[0].start, tokens[0].end));
  const [name, dot, second] = tokens.slice(concurrently ? 1 : 0);
  if (!isName(name)) return undefined;
  const qualified = dot !== undefined && dot.start === name.end && tail.slice(dot.start, dot.end) === '.';
  if (qualified && !(isName(second) && second.start === dot.end)) return undefined;
  const last = qualified && second !== undefined ? second : name;
  // A quoted name that begins like this is the rest of the program after a closing quote.
  if (goesOn.test(tail.slice(last.end)) || [name, last].some(token => /^"[\s,.+)]|[\n\r]/.test(tail.slice(token.start, token.end)))) return undefined;
  const target = qualified ? { schema: identifierText(tail, name), name: identifierText(tail, last) } : { name: identifierText(tail, name) };
  return { target, concurrently, end: last.end };
}
