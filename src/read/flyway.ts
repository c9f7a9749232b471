import type { Evidence, Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { flywayRoots, flywaySettings, readProperties } from './flyway-config.ts';
import type { FlywaySettings } from './flyway-config.ts';
import { fileGap, gap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, compareCodeUnits, compareVersions, dirname } from './paths.ts';
import { duplicate, unreached } from './problems.ts';
import type { MigrationDraft } from './draft.ts';
import { plainStatements, templatedStatements } from './statements.ts';
import { readSource } from './text.ts';

interface Script {
  readonly kind: 'versioned' | 'undo' | 'repeatable' | 'baseline';
  readonly path: string;
  readonly name: string;
  readonly version: readonly string[];
  readonly description: string;
}

/** Flyway's callback events; `afterMigrate__what.sql` names one too [facts 2]. */
const callback = /^(?:before|after)(?:Each)?(?:Migrate|Undo|Clean|Info|Validate|Baseline|Repair|Deploy|Connect|CreateSchema|Test)\w*?(?:__.*)?$|^createSchema(?:__.*)?$/;

/**
 * Reads one Flyway history: versions compared as numbers part by part (`_` is `.` there), folders scanned recursively, repeatables last by
 * description, undo scripts as the down part of their version, the newest baseline instead of what it covers. [facts 2, Flyway]
 */
export function readFlyway(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const settings = flywaySettings(context, candidate.config, ledger);
  // Folders that the user's own configuration names win over Flyway's, and then what Flyway's would have said is no gap.
  const byFlyway = candidate.config !== undefined && settings.locations.length > 0 && context.options.migrations === undefined;
  const roots = byFlyway ? flywayRoots(context, candidate.config ?? '', settings, ledger) : candidate.roots;
  const scripts: Script[] = [];
  const strangers: string[] = [];
  for (const root of roots) {
    for (const path of pathsUnder(context, root)) {
      const script = classify(path, settings, ledger);
      if (script === 'stranger') strangers.push(path);
      else if (script !== undefined) scripts.push(script);
    }
  }
  leftOut(context, ledger, strangers, scripts, settings);
  const baseline = scripts.filter(({ kind }) => kind === 'baseline').sort(byVersion).at(-1);
  const kept = scripts.filter(script => {
    if (script.kind === 'repeatable' || baseline === undefined || script === baseline
        || compareVersions(script.version, baseline.version) > 0) {
      return true;
    }
    ignore(ledger, script.path, `A fresh database starts from ${basename(baseline.path)}, which replaces it.`);
    return false;
  });
  const undo = new Map(kept.filter(({ kind }) => kind === 'undo').map(script => [versionKey(script), script]));
  const forward = kept.filter(({ kind }) => kind === 'versioned' || kind === 'baseline').sort(byVersion);
  const repeatable = kept.filter(({ kind }) => kind === 'repeatable').sort((a, b) => compareCodeUnits(a.description, b.description)
    || compareCodeUnits(a.path, b.path));
  for (const [i, script] of forward.entries()) {
    const previous = forward[i - 1];
    if (previous !== undefined && compareVersions(previous.version, script.version) === 0) {
      duplicate(context, ledger, script.path,
        `Version ${script.version.join('.')} is taken by "${basename(previous.path)}" already, so Flyway refuses "${basename(script.path)}".`,
        { path: previous.path, says: 'the same version is this file\'s' });
    }
  }
  const batches = { group: settings.group, number: 1 };
  const drafts = [...forward, ...repeatable].map((script): MigrationDraft => {
    const back = script.kind === 'versioned' ? undo.get(versionKey(script)) : undefined;
    if (back !== undefined) undo.delete(versionKey(script));
    return {
      id: script.name, path: script.path, kind: script.kind === 'repeatable' ? 'repeatable' : 'versioned',
      up: unitsOf(context, script, settings, ledger, batches),
      ...(back === undefined ? {} : { down: unitsOf(context, back, settings, ledger, { group: false, number: 0 }), others: [back.path] }),
    };
  });
  for (const left of undo.values()) ignore(ledger, left.path, `It undoes version ${left.version.join('.')}, which is not here.`);
  return drafts;
}

const byVersion = (a: Script, b: Script): number => compareVersions(a.version, b.version) || compareCodeUnits(a.path, b.path);
const versionKey = ({ version }: Script): string => version.map(part => part.replace(/^0+(?=\d)/, '')).join('.').replace(/(?:\.0)+$/, '');

/** Folders are scanned to the bottom, so queries and the like may lie there; what stands among migrations was meant to be one. */
function leftOut(context: Context, ledger: Ledger, strangers: readonly string[], scripts: readonly Script[], settings: FlywaySettings): void {
  const folders = new Set(scripts.map(({ path }) => dirname(path)));
  const because = `its name is none of a migration (${settings.prefix}1${settings.separator}what${settings.suffixes[0] ?? ''}).`;
  for (const path of strangers) {
    if (folders.has(dirname(path))) unreached(context, ledger, path, because, 'Flyway');
    else ignore(ledger, path, `Flyway never runs it: ${because}`);
  }
}

/** What a file name says, under the settings; files Flyway never runs are noted with the reason. */
function classify(path: string, settings: FlywaySettings, ledger: Ledger): Script | 'stranger' | undefined {
  const file = basename(path);
  const suffix = settings.suffixes.find(one => file.endsWith(one));
  if (suffix === undefined) {
    if (/^[VR].*__.*\.(?:java|kt|groovy|class|py|ps1|sh|bat|cmd)$/.test(file)) fileGap(ledger, path,
        `${file} is a migration that is not SQL; mvlint does not read it.`);
    else if (/\.(?:sql|psql|pgsql)$/i.test(file)) ignore(ledger, path, `Its suffix is none of ${settings.suffixes.join(', ')}.`);
    return undefined;
  }
  const name = file.slice(0, file.length - suffix.length);
  if (callback.test(name)) {
    ignore(ledger, path, 'Callback: mvlint does not replay callbacks.');
    return undefined;
  }
  const cut = name.indexOf(settings.separator);
  const head = cut < 0 ? name : name.slice(0, cut);
  const description = cut < 0 ? '' : name.slice(cut + settings.separator.length).replaceAll('_', ' ');
  const base = { path, name, description };
  const prefixes = ([['versioned', settings.prefix], ['undo', settings.undoPrefix], ['baseline', settings.baselinePrefix]] as const)
    .toSorted((a, b) => b[1].length - a[1].length);
  for (const [kind, prefix] of prefixes) {
    if (!head.startsWith(prefix)) continue;
    const version = head.slice(prefix.length).split(/[._]/);
    if (version.every(part => /^\d+$/.test(part))) return { ...base, kind, version };
  }
  if (cut >= 0 && head === settings.repeatablePrefix) return { ...base, kind: 'repeatable', version: [] };
  return 'stranger';
}

/** What Flyway itself recognises as impossible inside a transaction [facts 2]; REINDEX INDEX … CONCURRENTLY is not among them. */
const nonTransactional = /^(?:(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|REINDEX\s+(?:VERBOSE\s+)?(?:SCHEMA|DATABASE|SYSTEM)|VACUUM|ALTER\s+SYSTEM|DISCARD\s+ALL|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION))\b/i;

/** One script as one unit: own transaction, none, or the one of the group. */
function unitsOf(context: Context, script: Script, settings: FlywaySettings, ledger: Ledger,
  batches: { readonly group: boolean; number: number }): readonly Unit[] {
  const source = readSource(context.files, script.path);
  if (source === undefined) {
    fileGap(ledger, script.path, `${script.path} cannot be read.`);
    return [];
  }
  const own = scriptConfig(context, script.path, ledger);
  if (own.get('shouldexecute')?.value === 'false') {
    fileGap(ledger, script.path, `shouldExecute=false in ${script.path}.conf: Flyway skips it, and so does mvlint.`);
    return [];
  }
  const replace = own.has('placeholderreplacement') ? own.get('placeholderreplacement')?.value !== 'false'
    : settings.placeholderReplacement;
  const find = (name: string): string | undefined => settings.placeholders.get(name.toLowerCase()) ?? builtin(name, script, settings);
  const statements = replace
    ? templatedStatements(source, { prefix: settings.placeholderPrefix, suffix: settings.placeholderSuffix }, find, ledger)
    : plainStatements(source, ledger);
  const directive = own.get('executeintransaction');
  const lone = statements.find(({ sql }) => nonTransactional.test(sql));
  const explicit = directive === undefined ? settings.executeInTransaction : directive.value !== 'false';
  let because: Evidence | undefined = directive?.evidence;
  if (because === undefined && explicit !== undefined) {
    because = evidence(settings.where('executeInTransaction'), `executeInTransaction=${explicit}`);
  }
  if (because === undefined && lone !== undefined) {
    because = { span: lone.span, says: 'Flyway runs a file with such a statement without a transaction' };
  }
  if (explicit === undefined && lone !== undefined && !settings.mixed && statements.length > 1) {
    const other = statements.find(({ sql }) => !nonTransactional.test(sql));
    if (other !== undefined) {
      gap(ledger, other.span,
        'Flyway refuses a file that mixes this with a statement that cannot run in a transaction (mixed=false, no executeInTransaction); it was read as running without one.');
    }
  }
  const inside = explicit ?? lone === undefined;
  if (inside && batches.group && because === undefined) {
    because = evidence(settings.where('group'), 'group=true: all pending migrations share one transaction');
  }
  // A migration outside of the transaction ends the group before it.
  if (!inside && batches.group) batches.number++;
  const scope = !inside ? 'none' : batches.group ? 'batch' : 'migration';
  const scopeId = scope === 'batch' ? `group ${batches.number}` : script.kind === 'undo' ? `undo ${script.name}` : script.name;
  return [{ scope, scopeId, protocol: 'single', statements, ...(because === undefined ? {} : { because }) }];
}

const evidence = (span: Evidence['span'] | undefined, says: string): Evidence | undefined =>
  (span === undefined ? undefined : { span, says });

function builtin(name: string, script: Script, settings: FlywaySettings): string | undefined {
  switch (name.toLowerCase()) {
    case 'flyway:defaultschema': return settings.defaultSchema;
    case 'flyway:filename': return basename(script.path);
    case 'flyway:table': return settings.table;
    default: return undefined;
  }
}

interface ScriptSetting { readonly value: string; readonly evidence: Evidence }

/** `V3__x.sql.conf`: settings of one script, by lower-case key. */
function scriptConfig(context: Context, script: string, ledger: Ledger): ReadonlyMap<string, ScriptSetting> {
  const path = `${script}.conf`;
  const found = new Map<string, ScriptSetting>();
  if (!context.known.has(path)) return found;
  const source = readSource(context.files, path);
  if (source === undefined) {
    fileGap(ledger, path, `${path} cannot be read, so the transaction of ${basename(script)} is the default.`);
    return found;
  }
  const values = new Map<string, string | readonly string[]>();
  readProperties(source.text, values);
  for (const [key, value] of values) {
    const start = Math.max(0, source.text.toLowerCase().indexOf(key));
    const end = source.text.indexOf('\n', start) < 0 ? source.text.length : source.text.indexOf('\n', start);
    found.set(key, { value: String(value).toLowerCase(),
      evidence: { span: { path, start, end }, says: source.text.slice(start, end).trim() } });
  }
  return found;
}

/** Kinds of migrations Flyway knows; used by detection to tell its files from others. */
export const flywayName = /^(?:[VUB]\d+(?:[._]\d+)*__|R__).*\.sql$/;
