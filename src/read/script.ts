import type { Evidence, Unit } from '../model.ts';
import { replaced, whole } from './assembly.ts';
import type { Assembled } from './assembly.ts';
import type { Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import type { Replacement } from './fill.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { statementsIn } from './statements.ts';
import type { Range } from './statements.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';

/** How a tool sends a part: the transaction around it and the protocol. */
export interface Mode {
  readonly scope: Unit['scope'];
  readonly protocol: Unit['protocol'];
  /** Units of one `scopeId` share a transaction; by default those of one migration and direction do. */
  readonly scopeId?: string;
  readonly because?: Evidence;
}

/** Explicit transaction a migration, the text as one string: what most tools do by default. */
export const ownTransaction: Mode = { scope: 'migration', protocol: 'simple-string' };
/** No BEGIN; the text as one string, so that several statements share an implicit transaction [facts 0]. */
export const oneString = (because?: Evidence): Mode =>
  ({ scope: 'none', protocol: 'simple-string', ...(because === undefined ? {} : { because }) });
/** No BEGIN, statement by statement. */
export const autocommit = (because?: Evidence): Mode =>
  ({ scope: 'none', protocol: 'single', ...(because === undefined ? {} : { because }) });

/** What a tool sends at once. */
export interface Part extends Range {
  readonly direction: 'up' | 'down';
  readonly mode: Mode;
}

/** A text as a source, or nothing and a gap; its wrong bytes are gaps too. */
export function open(context: Context, path: string, ledger: Ledger): Source | undefined {
  const source = readSource(context.files, path);
  if (source === undefined) fileGap(ledger, path, `${path} cannot be read.`);
  else ledger.gaps.push(...source.gaps);
  return source;
}

/** The whole text as one part. */
export const onePart = (text: string, direction: Part['direction'], mode: Mode): readonly Part[] =>
  [{ start: 0, end: text.length, direction, mode }];

/** A text after replacements, with its parts where they stand then. Both lists are in order of place. */
export function substituted<P extends Range>(
  text: Assembled, parts: readonly P[], list: readonly Replacement[],
): { readonly text: Assembled; readonly parts: readonly P[] } {
  if (list.length === 0) return { text, parts };
  let [at, shift] = [0, 0];
  const moved = (offset: number): number => {
    for (let one = list[at]; one !== undefined && one.end <= offset; one = list[++at]) shift += one.text.length - (one.end - one.start);
    return offset + shift;
  };
  return { text: replaced(text, list), parts: parts.map(part => ({ ...part, start: moved(part.start), end: moved(part.end) })) };
}

/** The units of the parts of a text, in their order; parts without statements send nothing. `down` is there when a part says so. */
export function unitsOf(
  context: Context, text: Assembled, parts: readonly Part[], id: string, ledger: Ledger,
): Pick<MigrationDraft, 'up' | 'down'> {
  const values = context.options.placeholders ?? {};
  const statements = statementsIn(text, parts, values, ledger);
  const up: Unit[] = [];
  const down: Unit[] = [];
  for (const [i, { direction, mode }] of parts.entries()) {
    const own = statements[i] ?? [];
    const { scope, protocol, because } = mode;
    const scopeId = mode.scopeId ?? (direction === 'up' ? id : `${id} down`);
    if (own.length > 0) (direction === 'up' ? up : down).push({ scope, scopeId, protocol, statements: own,
      ...(because === undefined ? {} : { because }) });
  }
  return { up, ...(parts.some(({ direction }) => direction === 'down') ? { down } : {}) };
}

/** A file that goes one way as a whole. */
export function unitsOfFile(
  context: Context, path: string, direction: Part['direction'], id: string, mode: (source: Source) => Mode, ledger: Ledger,
): readonly Unit[] {
  const source = open(context, path, ledger);
  if (source === undefined) return [];
  const units = unitsOf(context, whole(path, source.text), onePart(source.text, direction, mode(source)), id, ledger);
  return (direction === 'up' ? units.up : units.down) ?? [];
}

/** The ranges of the lines of a text, without their line breaks. */
export function* linesOf(text: string): Generator<Range & { readonly text: string }> {
  for (let start = 0; start <= text.length;) {
    const at = text.indexOf('\n', start);
    const next = at < 0 ? text.length : at;
    const end = next > start && text.charCodeAt(next - 1) === 13 ? next - 1 : next;
    yield { start, end, text: text.slice(start, end) };
    if (at < 0) return;
    start = at + 1;
  }
}

/** The first comment line that matches, from `from` on, as evidence; what it says is the line itself. */
export function lineMatching({ path, text }: Source, pattern: RegExp, from = 0): Evidence | undefined {
  const match = new RegExp(pattern.source, `${pattern.flags.replace(/[gm]/g, '')}gm`);
  match.lastIndex = from;
  const found = match.exec(text);
  if (found === null) return undefined;
  const lead = found[0].length - found[0].trimStart().length;
  return { span: { path, start: found.index + lead, end: found.index + found[0].trimEnd().length }, says: found[0].trim() };
}
