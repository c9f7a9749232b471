import type { Evidence, Span } from '../model.ts';
import { Assembler, replaced, spanOf, whole } from './assembly.ts';
import type { Assembled } from './assembly.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { replacements } from './fill.ts';
import { gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { checkGaps, numberedFiles } from './numbered.ts';
import { ancestors, join, normalizePath } from './paths.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { autocommit, linesOf, open, ownTransaction, unitsOf } from './script.ts';
import type { Mode } from './script.ts';
import { valueOf } from './statements.ts';
import type { FoundName, Range, Values } from './statements.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';

export const ternSeparator = '---- create above / drop below ----';
const optOut = '---- tern: disable-tx ----';

/**
 * Reads one tern folder: numbers from 1 without gaps, the down part beneath a separator, Go templates first (`{{ .name }}` from tern.conf,
 * `{{ template "shared/x.sql" . }}`), own transaction unless a part says otherwise, statement by statement then [facts 2].
 * Not modelled: sprig functions, conditions, loops and snapshots in templates; what they stand in is unknown.
 */
export function readTern(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'tern', example: '001_what.sql', beneath: 'A template that migrations may include, no migration of its own.',
    read: file => {
      const version = /^(\d+)_.+\.sql$/.exec(file)?.[1];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  checkGaps(context, files, ledger, 'tern');
  return files.flatMap(({ id, path }): readonly MigrationDraft[] => {
    const source = open(context, path, ledger);
    if (source === undefined) return [];
    const root = candidate.roots.find(one => path.startsWith(one)) ?? '';
    const values = { ...dataOf(context, root, candidate.config), ...context.options.placeholders };
    const template: Template = { context, ledger, root, values, chain: [], included: new Set(), runs: { count: 0 } };
    const cut = source.text.indexOf(ternSeparator);
    const out = new Assembler();
    expand(template, source, 0, cut < 0 ? source.text.length : cut, out);
    const middle = out.size;
    if (cut >= 0) expand(template, source, cut + ternSeparator.length, source.text.length, out);
    const text = out.done();
    const units = unitsOf(context, text, [
      { start: 0, end: middle, direction: 'up', mode: modeOf(text, 0, middle, ledger) },
      ...(cut < 0 ? [] : [{ start: middle, end: text.text.length, direction: 'down' as const,
        mode: modeOf(text, middle, text.text.length, ledger) }]),
    ], id, ledger);
    checkOptOut(ledger, units, { written: optOut, tool: 'tern', perDirection: true });
    return [{ id, path, kind: 'versioned', ...units, ...(template.included.size > 0 ? { others: [...template.included] } : {}) }];
  });
}

function modeOf(text: Assembled, start: number, end: number, ledger: Ledger): Mode {
  let mode: Mode = ownTransaction;
  for (const line of linesOf(text.text.slice(start, end))) {
    if (!line.text.includes('disable-tx')) continue;
    const span = spanOf(text, start + line.start, start + line.end);
    const evidence: Evidence = { span, says: `${optOut}: this part runs without a transaction` };
    if (line.text === optOut) mode = mode === ownTransaction ? autocommit(evidence) : mode;
    else if (/^\s*-+\s*(?:tern:\s*)?disable-tx\b/.test(line.text)) {
      ineffective(ledger, span,
        `The opt-out "${optOut}" has to be a line of its own, spelt exactly so, and tern takes this one for a comment.`);
    }
  }
  return mode;
}

interface Template {
  readonly context: Context;
  readonly ledger: Ledger;
  readonly root: string;
  readonly values: Values;
  readonly chain: string[];
  readonly included: Set<string>;
  /** Inclusions so far: templates that include each other several times multiply. */
  readonly runs: { count: number };
}

/** Templates that include each other deeper than this, grow past this many characters, or are included more often, are cut off. */
const deepest = 20;
const longest = 10_000_000;
const mostRuns = 10_000;

/** A range of a source with its actions carried out. */
function expand(template: Template, source: Source, start: number, end: number, out: Assembler): void {
  const of = whole(source.path, source.text);
  let found: FoundName[] = [];
  let at = start;
  const flush = (to: number): void => {
    out.range(replaced(of, replacements(source.text, found), at, to));
    found = [];
    at = to;
  };
  for (const action of actionsIn(source.text, start, end)) {
    const { start: from, end: to, text } = action;
    const name = /^template\s+"([^"]+)"/.exec(text)?.[1];
    if (name === undefined) {
      const value = text.startsWith('/*') ? '' : valueOf(template.values, /^\.(\w+)$/.exec(text)?.[1] ?? '');
      found.push({ start: from, end: to, name: source.text.slice(from, to), value });
      continue;
    }
    flush(from);
    at = to;
    include(template, name, { path: source.path, start: from, end: to }, out);
  }
  flush(end);
}

function include(template: Template, name: string, span: Span, out: Assembler): void {
  const { context, ledger, root, chain } = template;
  const path = normalizePath(join(root, name));
  const source = path === undefined ? undefined : readSource(context.files, path);
  if (path === undefined || source === undefined) return gap(ledger, span, `The template ${name} is not here, so its text is not known.`);
  if (chain.includes(path) || chain.length >= deepest || out.size > longest || ++template.runs.count > mostRuns)
    return gap(ledger, span, `The template ${name} goes on without an end; it was left out here.`);
  ledger.gaps.push(...source.gaps);
  template.included.add(path);
  chain.push(path);
  expand(template, source, 0, source.text.length, out);
  chain.pop();
}

/** The `{{ … }}` of a range, with what stands inside. */
function* actionsIn(text: string, start: number, end: number): Generator<Range & { readonly text: string }> {
  for (let at = text.indexOf('{{', start); at >= 0 && at < end; at = text.indexOf('{{', at)) {
    const close = text.indexOf('}}', at + 2);
    if (close < 0 || close + 2 > end) return;
    yield { start: at, end: close + 2, text: text.slice(at + 2, close).replace(/^-\s|\s-$/g, '').trim() };
    at = close + 2;
  }
}

/** The values of `[data]` in the nearest tern.conf. */
function dataOf(context: Context, root: string, config: string | undefined): Values {
  const path = config ?? ancestors(root).map(folder => join(folder, 'tern.conf')).find(one => context.known.has(one));
  const values: Record<string, string> = {};
  if (path === undefined) return values;
  let section = '';
  for (const { text } of linesOf(readSource(context.files, path)?.text ?? '')) {
    section = /^\s*\[([^\]]*)\]/.exec(text)?.[1]?.trim() ?? section;
    const [, key, value] = /^\s*([\w.-]+)\s*=(.*)$/.exec(text) ?? [];
    // Values may ask the environment ({{env "X"}}): those are not known.
    if (section === 'data' && key !== undefined && value !== undefined && !value.includes('{{')) {
      values[key] = value.trim().replace(/^"(.*)"$/, '$1');
    }
  }
  return values;
}
