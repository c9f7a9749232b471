import { Assembler, replaced } from './assembly.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { replacements } from './fill.ts';
import { fileGap, gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { ancestors, basename, compareCodeUnits, join, normalizePath } from './paths.ts';
import { checkOptOut, duplicate, ineffective, unreached } from './problems.ts';
import { lineMatching, linesOf, onePart, oneString, open, ownTransaction, unitsOf } from './script.ts';
import type { Mode } from './script.ts';
import { valueOf } from './statements.ts';
import type { Values } from './statements.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';
import { atLeast, packageVersion } from './versions.ts';

/** `--! include` is read from this version on; before it is a comment [facts 2]. */
const includesFrom = { major: 2, minor: 0 };

/**
 * Reads one Graphile Migrate folder: `committed/NNNNNN[-slug].sql` along their chain of hashes, then the working migration (`current.sql`
 * or `current/*.sql`, together); up only, own transaction, each file one string; the opt-out is the first line of the body [facts 2]. The
 * working migration is replayed once: that it runs again at every save concerns the author's own database alone.
 */
export function readGraphileMigrate(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  return candidate.roots.flatMap(root => {
    const settings = settingsOf(context, root, candidate.config, ledger);
    const committed: { readonly path: string; readonly source: Source }[] = [];
    for (const path of pathsUnder(context, join(root, 'committed')).filter(one => one.endsWith('.sql'))) {
      if (!/^[0-9]{6,}(?:-[^/]*)?\.sql$/.test(basename(path)))
        unreached(context, ledger, path, 'its name is none of a committed migration (000001-what.sql).', 'Graphile Migrate');
      else {
        const source = open(context, path, ledger);
        if (source !== undefined) committed.push({ path, source });
      }
    }
    committed.sort((a, b) => compareCodeUnits(basename(a.path), basename(b.path)));
    checkChain(context, committed, ledger);
    const drafts = committed.map(({ path, source }) => draftOf(context, root, basename(path).slice(0, -4), [source], settings, ledger));
    const parts = pathsUnder(context, join(root, 'current')).filter(one => /^[0-9]+(?:-[^/]*)?\.sql$/.test(basename(one)));
    const current = [...parts, join(root, 'current.sql')]
      .flatMap(path => (context.known.has(path) ? open(context, path, ledger) ?? [] : []));
    return current.length === 0 ? drafts : [...drafts, draftOf(context, root, 'current', current, settings, ledger)];
  });
}

interface Settings {
  readonly names: readonly string[];
  readonly values: Values;
}

/** The placeholders of .gmrc; `!ENV` is known to the environment alone, unless the user gives it. */
function settingsOf(context: Context, root: string, config: string | undefined, ledger: Ledger): Settings {
  const path = config ?? ancestors(root).map(folder => join(folder, '.gmrc')).find(one => context.known.has(one));
  const given = context.options.placeholders ?? {};
  const values: Record<string, string> = {};
  const names = [':DATABASE_NAME', ':DATABASE_OWNER'];
  if (path?.endsWith('.gmrc') === true) {
    const text = readSource(context.files, path)?.text ?? '';
    const block = /"?placeholders"?\s*:\s*\{([^}]*)\}/.exec(text)?.[1] ?? '';
    for (const [, key = '', value = ''] of block.matchAll(/["'](:[A-Z][0-9A-Z_]*)["']\s*:\s*["']([^"']*)["']/g)) {
      names.push(key);
      if (value !== '!ENV') values[key] = value;
    }
    if (text.trim() !== '' && !text.includes('{'))
      fileGap(ledger, path, '.gmrc is not the JSON that Graphile Migrate reads, so its placeholders are not known.');
  }
  for (const [name, value] of Object.entries(given)) {
    const written = name.startsWith(':') ? name : `:${name}`;
    if (names.includes(written)) values[written] = value;
  }
  return { names: names.toSorted((a, b) => b.length - a.length), values };
}

/** Where the body begins: behind the header of `--! Key: value` lines and the empty line after it. */
function bodyStart(text: string): number {
  if (!/^--! (?:Previous|Hash|Message|AllowInvalidHash)\b/.test(text)) return 0;
  for (const line of linesOf(text)) {
    if (line.text.startsWith('--!')) continue;
    const next = text.indexOf('\n', line.start) + 1;
    return line.text !== '' ? line.start : next === 0 ? text.length : next;
  }
  return text.length;
}

function draftOf(context: Context, root: string, id: string, sources: readonly Source[], settings: Settings,
  ledger: Ledger): MigrationDraft {
  const others = new Set<string>();
  const out = new Assembler();
  const runs = { count: 0 };
  let mode: Mode = ownTransaction;
  for (const [i, source] of sources.entries()) {
    const start = bodyStart(source.text);
    const own = modeOf(source, start, ledger);
    if (i === 0) mode = own;
    withIncludes({ context, root, ledger, others, chain: [source.path], runs }, source, start, out);
    if (i < sources.length - 1) out.value('\n', { path: source.path, start: source.text.length, end: source.text.length });
  }
  const raw = out.done();
  const pattern = new RegExp(`(?:${settings.names.join('|')})\\b`, 'g');
  const found = [...raw.text.matchAll(pattern)].map(match =>
    ({ start: match.index, end: match.index + match[0].length, name: match[0], value: valueOf(settings.values, match[0]) }));
  const text = replaced(raw, replacements(raw.text, found));
  const units = unitsOf(context, text, onePart(text.text, 'up', mode), id, ledger);
  checkOptOut(ledger, units, { written: '--! no-transaction', tool: 'Graphile Migrate', perDirection: false });
  const [first, ...rest] = sources.map(({ path }) => path);
  for (const path of rest) others.add(path);
  return { id, path: first ?? root, kind: 'versioned', ...units, ...(others.size > 0 ? { others: [...others] } : {}) };
}

function modeOf(source: Source, start: number, ledger: Ledger): Mode {
  const { path, text } = source;
  const first = /^--![^\S\r\n]*no-transaction\b[^\r\n]*/.exec(text.slice(start, start + 200));
  if (first !== null) {
    return oneString({ span: { path, start, end: start + first[0].trimEnd().length },
      says: '--! no-transaction: this migration runs without a transaction' });
  }
  const idle = lineMatching(source, /^[ \t]*--!?[ \t]*no-transaction\b.*$/);
  if (idle !== undefined) {
    ineffective(ledger, idle.span,
      'The opt-out "--! no-transaction" counts on the first line of the body only, so Graphile Migrate runs this file in a transaction.');
  }
  return ownTransaction;
}

interface Including {
  readonly context: Context;
  readonly root: string;
  readonly ledger: Ledger;
  readonly others: Set<string>;
  readonly chain: readonly string[];
  /** Inclusions so far: files that include each other several times multiply. */
  readonly runs: { count: number };
}

const mostRuns = 10_000;

function withIncludes(including: Including, source: Source, start: number, out: Assembler): void {
  const { context, root, ledger, others, chain, runs } = including;
  const { path, text } = source;
  let at = start;
  if (text.includes('--! include ')) {
    const version = packageVersion(context, root, 'graphile-migrate', ['graphile-migrate']);
    for (const line of linesOf(text)) {
      const name = /^--! include (\S+)\s*$/.exec(line.text)?.[1];
      if (name === undefined || line.start < start) continue;
      const span = { path, start: line.start, end: line.end };
      if (version !== undefined && !atLeast(version, includesFrom)) {
        gap(ledger, span, `graphile-migrate ${version.major}.${version.minor} takes this include for a comment; it was not read.`);
        continue;
      }
      if (version === undefined) fileGap(ledger, path,
        'No package.json or lockfile names the version of graphile-migrate; taken as 2.0 or later, which reads --! include.');
      const target = normalizePath(join(root, `fixtures/${name}`));
      const included = target === undefined ? undefined : readSource(context.files, target);
      if (target === undefined || included === undefined)
        gap(ledger, span, `The included file fixtures/${name} is not here, so its text is not known.`);
      else if (chain.includes(target) || ++runs.count > mostRuns)
        gap(ledger, span, `fixtures/${name} goes on without an end; it was left out here.`);
      else {
        out.source(path, text.slice(at, line.start), at);
        at = line.end;
        others.add(target);
        withIncludes({ ...including, chain: [...chain, target] }, included, 0, out);
      }
    }
  }
  out.source(path, text.slice(at), at);
}

/** Each committed migration names the hash of the one before it; a broken chain is refused. */
function checkChain(context: Context, files: readonly { readonly path: string; readonly source: Source }[], ledger: Ledger): void {
  const header = (text: string, key: string): string | undefined =>
    new RegExp(`^--! ${key}: *(\\S+)`, 'm').exec(text.slice(0, bodyStart(text)))?.[1];
  for (const [i, { path, source }] of files.entries()) {
    const before = files[i - 1];
    const previous = header(source.text, 'Previous');
    if (previous === undefined) {
      fileGap(ledger, path,
        'This committed migration has no "--! Previous:" header, so Graphile Migrate refuses it; it was read all the same.');
    } else if (previous !== (before === undefined ? '-' : header(before.source.text, 'Hash') ?? previous)) {
      const wanted = before === undefined ? 'a migration before it, which is not here'
        : `another migration before it than "${basename(before.path)}"`;
      duplicate(context, ledger, path, `"${basename(path)}" expects ${wanted}, so Graphile Migrate refuses to run.`,
        before === undefined ? undefined : { path: before.path, says: 'the file before it in the folder' });
    }
  }
}
