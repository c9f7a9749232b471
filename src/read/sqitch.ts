import type { Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, gap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { ancestors, basename, dirname, join, normalizePath, relativeTo } from './paths.ts';
import { duplicate, unreached } from './problems.ts';
import { newSession, runScript } from './psql-session.ts';
import type { Run } from './psql-session.ts';
import { linesOf } from './script.ts';
import type { Values } from './statements.ts';
import { readSource } from './text.ts';

/**
 * Reads one Sqitch project in the order of its plan, never of its folder. Scripts are psql's: statement by statement, the author's BEGIN
 * and COMMIT counting by themselves. A reworked change finds its older body in `deploy/<change>@<tag>.sql`; `verify` is no history [facts
 * 2].
 */
export function readSqitch(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const root = candidate.config === undefined ? candidate.roots[0] ?? '' : dirname(candidate.config);
  const settings = settingsOf(context, root);
  if (settings.engine !== undefined && settings.engine !== 'pg' && settings.engine !== 'cockroach') {
    for (const path of pathsUnder(context, settings.deploy)) ignore(ledger, path, `sqitch.conf says ${settings.engine}, not PostgreSQL.`);
    return [];
  }
  const plan = readSource(context.files, settings.plan);
  if (plan === undefined) {
    fileGap(ledger, settings.plan, 'There is no sqitch.plan, so nobody can say what Sqitch runs.');
    return [];
  }
  ledger.gaps.push(...plan.gaps);
  const script = (folder: string, change: string): string => join(folder, `${change}.${settings.extension}`);
  const used = new Set<string>();
  const options = { ...context.options, placeholders: { ...settings.variables, ...context.options.placeholders } };
  const session = (path: string): Run => {
    const run: Run = { path, up: [], down: [], included: [] };
    used.add(path);
    // Every script is a run of psql of its own.
    runScript(newSession({ ...context, options }, ledger, root, new Map(), new Map()), path, run, () => run);
    return run;
  };
  const drafts = changesOf(plan.text, settings.plan, context, ledger).flatMap(({ name, file, span }): readonly MigrationDraft[] => {
    const deploy = script(settings.deploy, file);
    const revert = script(settings.revert, file);
    if (!context.known.has(deploy)) {
      gap(ledger, span, `The plan names ${name}, and ${relativeTo(root, deploy)} is not here.`);
      return [];
    }
    const forward = session(deploy);
    const back = context.known.has(revert) ? session(revert) : undefined;
    const unit = (id: string, { up }: Run): Unit => ({ scope: 'none', scopeId: id, protocol: 'single', statements: up });
    const others = [...forward.included, ...(back === undefined ? [] : [back.path, ...back.included])];
    return [{
      id: file, path: deploy, kind: 'versioned', up: [unit(file, forward)],
      ...(back === undefined ? {} : { down: [unit(`${file} down`, back)] }),
      ...(others.length > 0 ? { others } : {}),
    }];
  });
  const included = new Set(drafts.flatMap(({ others = [] }) => others));
  for (const path of pathsUnder(context, settings.deploy)) {
    if (path.endsWith(`.${settings.extension}`) && !used.has(path) && !included.has(path)) {
      unreached(context, ledger, path, `${basename(settings.plan)} does not name it.`, 'Sqitch');
    }
  }
  return drafts;
}

/** The plan of a project and the files that are its own: the repository around them may hold other histories. */
export function planFiles(context: Context, root: string): { readonly plan: string; readonly files: readonly string[] } | undefined {
  const { plan, deploy, revert } = settingsOf(context, root);
  if (!context.known.has(plan)) return undefined;
  const verify = join(dirname(plan), 'verify');
  return { plan, files: [deploy, revert, verify].flatMap(folder => pathsUnder(context, folder)) };
}

interface Change {
  readonly name: string;
  /** The name of its scripts: of a reworked change, with the tag that its older body carries. */
  readonly file: string;
  readonly span: { readonly path: string; readonly start: number; readonly end: number };
}

/** The changes of a plan: `name [requires] time planner # note`; `@tag` lines end what a rework may refer to; `%` lines are pragmas. */
function changesOf(text: string, path: string, context: Context, ledger: Ledger): readonly Change[] {
  const changes: (Change & { tag?: string })[] = [];
  const last = new Map<string, number>();
  for (const line of linesOf(text)) {
    const words = line.text.replace(/#.*$/, '').trim();
    if (words === '' || words.startsWith('%') || line.text.startsWith('\uFEFF%')) continue;
    const tag = /^@(\S+)/.exec(words)?.[1];
    if (tag !== undefined) {
      for (const change of changes) change.tag ??= tag;
      continue;
    }
    const name = /^(?:[+-]\s*)?([^\s[\]@]+)/.exec(words)?.[1];
    const span = { path, start: line.start, end: line.end };
    if (name === undefined) {
      gap(ledger, span, 'This line of the plan is neither a change nor a tag; it was left out.');
      continue;
    }
    const earlier = last.get(name);
    const before = earlier === undefined ? undefined : changes[earlier];
    if (before !== undefined && earlier !== undefined && before.tag === undefined) {
      duplicate(context, ledger, path, `The plan names "${name}" twice without a tag between, so Sqitch refuses it.`);
      continue;
    }
    if (before?.tag !== undefined && earlier !== undefined) changes[earlier] = { ...before, file: `${name}@${before.tag}` };
    last.set(name, changes.length);
    changes.push({ name, file: name, span });
  }
  return changes;
}

interface Settings {
  readonly plan: string;
  readonly deploy: string;
  readonly revert: string;
  readonly extension: string;
  readonly engine?: string;
  readonly variables: Values;
}

/** What sqitch.conf says of PostgreSQL's project: a section of its engine wins over `[core]`. */
function settingsOf(context: Context, root: string): Settings {
  const conf = ancestors(root).map(folder => join(folder, 'sqitch.conf')).find(path => context.known.has(path));
  const values = new Map<string, string>();
  const variables: Record<string, string> = {};
  let section = '';
  for (const { text } of linesOf(conf === undefined ? '' : readSource(context.files, conf)?.text ?? '')) {
    section = /^\s*\[([^\]]*)\]/.exec(text)?.[1]?.replace(/\s+/g, ' ').trim() ?? section;
    const [, key, value] = /^\s*([\w.-]+)\s*=(.*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) continue;
    const plain = value.trim().replace(/^"(.*)"$/, '$1');
    if (/(?:"variables"|\.variables)$/.test(section)) variables[key] = plain;
    else values.set(`${section}.${key}`, plain);
  }
  const home = conf === undefined ? root : dirname(conf);
  const one = (key: string): string | undefined => values.get(`engine "pg".${key}`) ?? values.get(`core.${key}`);
  const folder = (path: string): string => normalizePath(join(home, path)) ?? root;
  const top = context.known.has(join(root, 'sqitch.plan')) || one('top_dir') === undefined ? root : folder(one('top_dir') ?? '.');
  const plan = one('plan_file');
  const engine = values.get('core.engine');
  return {
    plan: plan === undefined ? join(top, 'sqitch.plan') : folder(plan),
    deploy: one('deploy_dir') === undefined ? join(top, 'deploy') : folder(one('deploy_dir') ?? ''),
    revert: one('revert_dir') === undefined ? join(top, 'revert') : folder(one('revert_dir') ?? ''),
    extension: one('extension') ?? 'sql', variables, ...(engine === undefined ? {} : { engine }),
  };
}
