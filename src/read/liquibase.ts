import type { Evidence, Span } from '../model.ts';
import { tokensOf } from '../sql/tokens.ts';
import { Assembler, spanOf, whole } from './assembly.ts';
import type { Assembled } from './assembly.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { cutAt } from './delimiter.ts';
import type { MigrationDraft } from './draft.ts';
import { placeholdersIn, replacements } from './fill.ts';
import { gap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { changelogFiles, formattedMark, rootChangelogs } from './liquibase-changelog.ts';
import type { Changelog } from './liquibase-changelog.ts';
import { basename, compareCodeUnits } from './paths.ts';
import { ineffective, unreached } from './problems.ts';
import { linesOf, open, substituted, unitsOf } from './script.ts';
import type { Mode, Part } from './script.ts';
import type { Range } from './statements.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';

/**
 * Reads Liquibase's formatted SQL: the changesets of each file in the order of the root changelog; own transaction a changeset unless
 * `runInTransaction:false`, cut at `;` or at its own delimiter, rollbacks as down parts [facts 2]. Contexts, labels and preconditions are
 * taken as met, and that is said once. Not read: changesets in XML, YAML and JSON.
 */
export function readLiquibase(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const drafts: MigrationDraft[] = [];
  const seen = new Map<string, Span>();
  const said = { filter: false };
  for (const root of candidate.roots) {
    const changelog = candidate.config ?? rootChangelogs(context, root)[0];
    const sql = pathsUnder(context, root).filter(path => path.endsWith('.sql')
      && formattedMark.test(readSource(context.files, path)?.text.slice(0, 400) ?? ''));
    const { files, properties }: Changelog = changelog === undefined ? { files: sql.toSorted(compareCodeUnits), properties: new Map() }
      : changelogFiles(context, changelog, ledger);
    const values = new Map([...properties, ...Object.entries(context.options.placeholders ?? {})]);
    for (const path of files) {
      const source = open(context, path, ledger);
      if (source === undefined) continue;
      if (!formattedMark.test(source.text)) {
        ignore(ledger, path,
          'A plain SQL file that the changelog includes: Liquibase runs it as one changeset without a name, which mvlint does not read.');
        gap(ledger, { path, start: 0, end: 0 }, 'The file does not begin with "--liquibase formatted sql"; it was not read.');
        continue;
      }
      const sets = changesets(source, values, ledger);
      for (const set of sets) {
        const key = `${set.author}:${set.name}`;
        const before = seen.get(`${key}\0${path}`);
        if (before !== undefined) {
          const message = `The changeset ${key} stands twice in "${basename(path)}", so Liquibase refuses the changelog.`;
          ledger.problems.push({ rule: 'no-duplicate-version', span: set.span, message,
            evidence: [{ span: before, says: 'the first one of this name' }, { span: set.span, says: 'the changeset that is refused' }] });
        } else seen.set(`${key}\0${path}`, set.span);
        if (set.attributes.get('ignore') === 'true' || !forPostgres(set.attributes.get('dbms'))) continue;
        if (!said.filter && (set.attributes.has('context') || set.attributes.has('contextfilter') || set.attributes.has('labels'))) {
          said.filter = true;
          gap(ledger, set.span, 'Changesets with a context or labels were read as if all of them ran.');
        }
        drafts.push(draftOf(context, source, set, sets[0]?.span.start ?? 0, key, values, ledger));
      }
    }
    const reached = new Set(files);
    for (const path of sql) if (!reached.has(path))
      unreached(context, ledger, path, `${basename(changelog ?? '')} does not include it.`, 'Liquibase');
  }
  return drafts;
}

const forPostgres = (dbms: string | undefined): boolean => {
  if (dbms === undefined) return true;
  const names = dbms.toLowerCase().split(',').map(name => name.trim());
  if (names.includes('none')) return false;
  if (names.every(name => name.startsWith('!'))) return !names.includes('!postgresql');
  return names.includes('postgresql') || names.includes('all');
};

interface Changeset {
  readonly author: string;
  readonly name: string;
  readonly span: Span;
  /** By lower-case name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly start: number;
  readonly end: number;
}

const header = /^--\s*changeset\s+("[^"]+"|[^\s:]+(?:\s+[^\s:"]+)*?)\s*:\s*("[^"]+"|\S+)(.*)$/i;

/** The changesets of a file; `--property` lines set values on the way, the first one of a name winning. */
function changesets({ path, text }: Source, values: Map<string, string>, ledger: Ledger): readonly Changeset[] {
  const found: Changeset[] = [];
  const bare = (written: string): string => written.replace(/^"(.*)"$/, '$1');
  const attributes = (written: string): ReadonlyMap<string, string> => new Map([...written.matchAll(/([A-Za-z]\w*):("[^"]*"|\S+)/g)]
    .map(([, name = '', value = '']) => [name.toLowerCase(), bare(value)]));
  for (const line of linesOf(text)) {
    const property = /^--\s*property\s+(.*)$/i.exec(line.text);
    if (property !== null) {
      const given = attributes(property[1] ?? '');
      const name = given.get('name');
      if (name !== undefined && forPostgres(given.get('dbms')) && !values.has(name)) values.set(name, given.get('value') ?? '');
    }
    if (!/^--\s*changeset\b/i.test(line.text)) continue;
    const match = header.exec(line.text);
    const span = { path, start: line.start, end: line.end };
    const last = found.at(-1);
    if (last !== undefined && last.end === text.length) found[found.length - 1] = { ...last, end: line.start };
    if (match === null) {
      gap(ledger, span, 'This changeset line is not of the form author:id; Liquibase refuses it.');
      continue;
    }
    found.push({
      author: bare(match[1] ?? ''), name: bare(match[2] ?? ''), span, attributes: attributes(match[3] ?? ''), start: line.end, end: text.length,
    });
  }
  return found;
}

function draftOf(context: Context, source: Source, set: Changeset, head: number, key: string, values: ReadonlyMap<string, string>,
  ledger: Ledger): MigrationDraft {
  const { attributes } = set;
  const flag = (name: string, otherwise: boolean): boolean => (attributes.get(name)?.toLowerCase() ?? String(otherwise)) === 'true';
  const because: Evidence | undefined = flag('runintransaction', true) ? undefined
    : { span: set.span, says: 'runInTransaction:false: this changeset runs without a transaction' };
  const mode: Mode = because === undefined ? { scope: 'migration', protocol: 'simple-string' }
    : { scope: 'none', protocol: 'simple-string', because };
  const ranges = directions(source, set, ledger);
  const found = [...placeholdersIn(source.text.slice(set.start, set.end))].map(({ start, end, name }) =>
    ({ start: start + set.start, end: end + set.start, name: `\${${name}}`, value: values.get(name) }));
  const filled = substituted(whole(source.path, source.text), ranges, replacements(source.text, found));
  const out = new Assembler();
  // Ignores of the whole file stand above its first changeset.
  if (head > 0 && source.text.slice(0, head).includes('mvlint-ignore-file')) out.source(source.path, source.text.slice(0, head), 0);
  const first = out.size;
  for (const { start, end, direction } of filled.parts) if (direction === 'up') out.range(filled.text, start, end);
  const middle = out.size;
  // A rollback may go over several lines, each with its own mark.
  for (const { start, end, direction } of filled.parts) {
    if (direction !== 'down') continue;
    out.range(filled.text, start, end);
    out.value('\n', { path: source.path, start: set.end, end: set.end });
  }
  const text = out.done();
  const cut = (start: number, end: number, direction: Part['direction'], splits: boolean,
    delimiter: string | undefined): readonly Part[] => {
    if (start === end) return [];
    if (!splits) return [{ start, end, direction, mode }];
    if (delimiter === undefined || delimiter === ';') return splitParts(text, { start, end, direction }, mode, ledger);
    return cutAt(text.text, delimiter.replaceAll('\\n', '\n'), start, end).map(range => ({ ...range, direction, mode }));
  };
  const splits = flag('splitstatements', true);
  const delimiter = attributes.get('enddelimiter');
  const units = unitsOf(context, text, [
    ...cut(first, middle, 'up', splits, delimiter),
    ...cut(middle, text.text.length, 'down', flag('rollbacksplitstatements', splits), attributes.get('rollbackenddelimiter') ?? delimiter),
  ], key, ledger);
  // runOnChange and runAlways run again in their place, not after everything else: they are replayed once, where they stand.
  return { id: key, path: source.path, kind: 'versioned', ...units };
}

/** Where a changeset goes forward, and its rollbacks: `--rollback` lines and `liquibase rollback` comments; in order of place. */
function directions({ path, text }: Source, { start, end }: Changeset, ledger: Ledger): readonly Omit<Part, 'mode'>[] {
  const ranges: Omit<Part, 'mode'>[] = [];
  let at = start;
  for (const match of text.slice(start, end).matchAll(/^[ \t]*--[ \t]*rollback\b[ \t]*([^\r\n]*)|\/\*[ \t]*liquibase[ \t]+rollback\b/gim)) {
    const [all, line] = match;
    const from = start + match.index;
    if (from < at) continue;
    const close = line === undefined ? text.indexOf('*/', from + all.length) : -1;
    // Without its end the comment is Postgres's to refuse.
    if (line === undefined && (close < 0 || close > end)) break;
    if (from > at) ranges.push({ start: at, end: from, direction: 'up' });
    at = line === undefined ? close + 2 : from + all.length;
    const sql = line ?? text.slice(from + all.length, close);
    if (/^\s*(?:empty|not\s+required)\s*;?\s*$/i.test(sql)) continue;
    if (/^\s*changeset(?:id)?\b/i.test(sql)) {
      gap(ledger, { path, start: from, end: at }, 'This rollback runs another changeset; it was not read.');
      continue;
    }
    const tail = line === undefined ? 2 : 0;
    ranges.push({ start: at - tail - sql.length, end: at - tail, direction: 'down' });
  }
  if (end > at) ranges.push({ start: at, end, direction: 'up' });
  return ranges;
}

/** Whether a range says BEGIN or BEGIN WORK and nothing else; where the word stands. */
function beginIn(text: string, { start, end }: Range): number | undefined {
  let at: number | undefined;
  for (const token of tokensOf(text, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const word = text.slice(token.start, Math.min(token.end, token.start + 6)).toUpperCase();
    if (word !== (at === undefined ? 'BEGIN' : 'WORK')) return undefined;
    at ??= token.start;
  }
  return at;
}

/**
 * Statement by statement; after a BEGIN that the author wrote Liquibase cuts no more, up to its END: it takes it for a block [facts 2].
 * `BEGIN TRANSACTION` is none to it.
 */
function splitParts(of: Assembled, part: Omit<Part, 'mode'>, mode: Mode, ledger: Ledger): readonly Part[] {
  const { text } = of;
  const ranges = /\bBEGIN\b/i.test(text) ? cutAt(text, ';', part.start, part.end) : [];
  const begin = ranges.map(range => beginIn(text, range)).find(at => at !== undefined);
  const single = (start: number, end: number): Part => ({ start, end, direction: part.direction, mode: { ...mode, protocol: 'single' } });
  if (begin === undefined) return [single(part.start, part.end)];
  ineffective(ledger, spanOf(of, begin, begin + 5),
    'Liquibase takes this BEGIN for the start of a block, so it cuts no statement from here on and sends the rest as one string.');
  return [...(begin > part.start ? [single(part.start, begin)] : []), { ...part, start: begin, mode }];
}
