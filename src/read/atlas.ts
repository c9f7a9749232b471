import type { Evidence, Unit } from '../model.ts';
import { whole } from './assembly.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { readDbmate, dbmateMark } from './dbmate.ts';
import { cutAt } from './delimiter.ts';
import type { MigrationDraft } from './draft.ts';
import { readFlyway } from './flyway.ts';
import { golangName, readGolangMigrate } from './golang-migrate.ts';
import { gooseMark, readGoose } from './goose.ts';
import { ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { ancestors, basename, compareCodeUnits, dirname, join } from './paths.ts';
import { ineffective } from './problems.ts';
import { autocommit, lineMatching, linesOf, onePart, open, ownTransaction, unitsOf } from './script.ts';
import type { Mode, Part } from './script.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';

/**
 * Reads one Atlas folder (flat): order by file name, up only (the way back is computed), own transaction, statement by statement.
 * Directives count in the comments at the top that an empty line parts from the rest; a checkpoint stands for everything before it [facts
 * 2]. `?format=` reads the folder of another tool: its names and marks, Atlas's transactions. Not modelled: `--tx-mode` of the command
 * line.
 */
export function readAtlas(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const format = formatOf(context, candidate);
  if (format !== undefined) {
    return format(context, candidate, ledger)
      .map(({ down: _, ...draft }) => ({ ...draft, up: draft.up.map(unit => asAtlas(context, draft, unit, ledger)) }));
  }
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'Atlas', example: '20240101000000_what.sql', compare: compareCodeUnits, allowsDuplicates: true,
    read: file => ({ version: file, id: file.slice(0, -4) }),
  });
  const sources = files.flatMap(file => {
    const source = open(context, file.path, ledger);
    return source === undefined ? [] : [{ ...file, source }];
  });
  const checkpoint = sources.findLastIndex(({ source }) => directive(source, 'checkpoint') !== undefined);
  return sources.flatMap(({ id, path, source }, i): readonly MigrationDraft[] => {
    if (i < checkpoint) {
      const name = basename(sources[checkpoint]?.path ?? '');
      ignore(ledger, path, `A fresh database starts from the checkpoint ${name}, which stands for it.`);
      return [];
    }
    const parts = partsOf(source, modeOf(source, ledger));
    return [{ id, path, kind: 'versioned', ...unitsOf(context, whole(path, source.text), parts, id, ledger) }];
  });
}

/** The parts of a file: one, cut at `;`, or one for each piece between the delimiters it asks for. */
function partsOf({ text }: Source, mode: Mode): readonly Part[] {
  const asked = /^-- atlas:delimiter +([ -~]*)/.exec(text);
  if (asked === null) return onePart(text, 'up', mode);
  const delimiter = (asked[1] ?? '').trimEnd().replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\t', '\t');
  const body = text.indexOf('\n') + 1;
  if (body === 0) return onePart(text, 'up', mode);
  return cutAt(text, delimiter, body).map(range => ({ ...range, direction: 'up', mode: { ...mode, protocol: 'simple-string' } }));
}

const written = (name: string): RegExp => new RegExp(`^[ \\t]*(?:--|#)[ \\t]*atlas:${name}(?:[ \\t]+([ -~]*))?$`);

/** A directive of the whole file, where Atlas looks for it; what it says is its value. */
function directive({ path, text }: Source, name: string): Evidence | undefined {
  const found: Evidence[] = [];
  for (const line of linesOf(text)) {
    if (line.text.startsWith('--') || line.text.startsWith('#')) {
      const value = written(name).exec(line.text);
      if (value !== null) found.push({ span: { path, start: line.start, end: line.end }, says: (value[1] ?? '').trim() });
    } else return line.text === '' ? found[0] : undefined;
  }
  return undefined;
}

function modeOf(source: Source, ledger: Ledger): Mode {
  const found = directive(source, 'txmode');
  const inside: Mode = { ...ownTransaction, protocol: 'single' };
  if (found?.says === 'none') return autocommit({ span: found.span, says: 'atlas:txmode none: this file runs without a transaction' });
  if (found !== undefined) return inside;
  const idle = lineMatching(source, written('txmode'));
  if (idle !== undefined) {
    ineffective(ledger, idle.span,
      'This atlas:txmode has no effect: a directive for the file stands in the comments at its top, parted from the first statement by an empty line.');
  }
  return inside;
}

function asAtlas(context: Context, { id, path }: MigrationDraft, unit: Unit, ledger: Ledger): Unit {
  const source = readSource(context.files, path);
  const mode = source === undefined ? ownTransaction : modeOf(source, ledger);
  return { ...unit, scope: mode.scope, scopeId: id, protocol: 'single', ...(mode.because === undefined ? {} : { because: mode.because }) };
}

type Format = (context: Context, candidate: Candidate, ledger: Ledger) => readonly MigrationDraft[];
const formats: Readonly<Record<string, Format>> = {
  'golang-migrate': readGolangMigrate, goose: readGoose, dbmate: readDbmate, flyway: readFlyway,
};

/** The tool whose folder this is, when atlas.hcl or the files themselves say that it is not Atlas's own. */
function formatOf(context: Context, { roots, config }: Candidate): Format | undefined {
  const [root = ''] = roots;
  for (const path of [config, ...ancestors(root).map(folder => join(folder, 'atlas.hcl'))]) {
    if (path?.endsWith('atlas.hcl') !== true || !context.known.has(path)) continue;
    const text = readSource(context.files, path)?.text ?? '';
    const folder = new RegExp(`"file://(?:\\./)?([^"?]*)\\?format=([\\w-]+)"`).exec(text);
    if (folder?.[2] !== undefined && join(dirname(path), (folder[1] ?? '').replace(/\/$/, '')) === root) return formats[folder[2]];
  }
  const files = pathsUnder(context, root).filter(path => dirname(path) === root && path.endsWith('.sql'));
  if (files.length > 0 && files.every(path => golangName.test(basename(path)))) return formats['golang-migrate'];
  const text = readSource(context.files, files[0] ?? '')?.text ?? '';
  return gooseMark.test(text) ? formats['goose'] : dbmateMark.test(text) ? formats['dbmate'] : undefined;
}
