import { pathsUnder } from './context.ts';
import type { Context } from './context.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { ancestors, basename, compareCodeUnits, dirname, join, normalizePath } from './paths.ts';
import { readSource } from './text.ts';

export const formattedMark = /^\uFEFF?\s*--\s*liquibase formatted sql\b/i;

/** One step of a changelog that is no SQL file. */
interface Include {
  readonly kind: 'include' | 'includeAll';
  readonly path: string;
  readonly relative: boolean;
}

export interface Changelog {
  /** Formatted SQL files in the order in which they run. */
  readonly files: readonly string[];
  /** What changelog properties set, by name. */
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * The formatted SQL files that a root changelog reaches, in its order: `include` and `includeAll` (sorted by path) of YAML, JSON and XML
 * are followed [facts 2]. Changesets that stand in such a file themselves are a gap: only formatted SQL is read.
 */
export function changelogFiles(context: Context, root: string, ledger: Ledger): Changelog {
  const files: string[] = [];
  const properties = new Map<string, string>();
  const seen = new Set<string>();
  const home = dirname(root);
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    if (path.endsWith('.sql')) return void files.push(path);
    const text = readSource(context.files, path)?.text;
    if (text === undefined) return fileGap(ledger, path, `${path} cannot be read.`);
    if (/<changeSet\b|^[ \t]*-?[ \t]*"?changeSet"?[ \t]*:/m.test(text))
      fileGap(ledger, path, 'Changesets of this file are not SQL; mvlint reads formatted SQL only, so they were not read.');
    for (const [name, value] of propertiesOf(text)) properties.set(name, value);
    for (const include of includesOf(path, text)) {
      const target = resolve(context, include, path, home);
      if (target === undefined) fileGap(ledger, path, `The changelog includes ${include.path}, which is not here.`);
      else if (include.kind === 'include') visit(target);
      else pathsUnder(context, target).filter(each => /\.(?:sql|xml|ya?ml|json)$/.test(each)).toSorted(compareCodeUnits).forEach(visit);
    }
  };
  visit(root);
  return { files, properties };
}

/** Where an include leads: beside the changelog that says it, or from where Liquibase runs (the root's folder and those above it). */
function resolve(context: Context, { kind, path, relative }: Include, from: string, home: string): string | undefined {
  const clean = path.replace(/^classpath:\/*/, '').replace(/^\/+/, '').replace(/\/+$/, '');
  const bases = relative ? [dirname(from)] : [...ancestors(home), dirname(from)];
  for (const base of bases) {
    const target = normalizePath(join(base, clean));
    if (target === undefined) continue;
    if (kind === 'include' ? context.known.has(target) : pathsUnder(context, target).length > 0) return target;
  }
  if (kind === 'include') return context.all.find(one => one.endsWith(`/${clean}`));
  return undefined;
}

function includesOf(path: string, text: string): readonly Include[] {
  if (path.endsWith('.xml')) {
    return [...withoutComments(text).matchAll(/<(include|includeAll)\b([^>]{0,1000})>/g)].flatMap(([, kind, attributes = '']) => {
      const named = new RegExp(`\\b${kind === 'include' ? 'file' : 'path'}\\s*=\\s*["']([^"']*)["']`).exec(attributes)?.[1];
      return named === undefined ? [] : [{ kind: kind === 'include' ? 'include' as const : 'includeAll' as const, path: named,
        relative: /\brelativeToChangelogFile\s*=\s*["']true["']/.test(attributes) }];
    });
  }
  return yamlIncludes(text);
}

/** XML without its comments; one without an end hides the rest. */
function withoutComments(text: string): string {
  let out = '';
  let at = 0;
  for (let open = text.indexOf('<!--'); open >= 0; open = text.indexOf('<!--', at)) {
    out += text.slice(at, open);
    const close = text.indexOf('-->', open + 4);
    if (close < 0) return out;
    at = close + 3;
  }
  return out + text.slice(at);
}

/**
 * The includes of a YAML or JSON changelog: flow form (`include: {file: x}`), block form, and JSON, which is the flow form with quotes.
 * Only these keys are looked at; anchors and multi-line strings do not occur in includes.
 */
function yamlIncludes(text: string): readonly Include[] {
  const lines = text.replace(/^[ \t]*#.*$/gm, '');
  const key = /(?:^|[\s{,-])"?(include|includeAll)"?\s*:/g;
  const found: Include[] = [];
  const starts = [...lines.matchAll(key)];
  for (const [i, match] of starts.entries()) {
    const end = starts[i + 1]?.index ?? lines.length;
    const block = lines.slice(match.index + match[0].length, Math.min(end, match.index + 400));
    const kind = match[1] === 'include' ? 'include' as const : 'includeAll' as const;
    const wanted = kind === 'include' ? 'file' : 'path';
    const named = new RegExp(`(?:^|[\\s{,])"?${wanted}"?\\s*:\\s*("[^"]*"|'[^']*'|[^\\s,}]+)`).exec(block)?.[1];
    if (named !== undefined) {
      found.push({ kind, path: named.replace(/^(["'])(.*)\1$/, '$2'), relative: /"?relativeToChangelogFile"?\s*:\s*"?true\b/.test(block) });
    }
  }
  return found;
}

function propertiesOf(text: string): readonly (readonly [string, string])[] {
  const xml = [...text.matchAll(/<property\b[^>]{0,1000}>/g)].flatMap(([tag]) => {
    const name = /\bname\s*=\s*["']([^"']*)["']/.exec(tag)?.[1];
    const value = /\bvalue\s*=\s*["']([^"']*)["']/.exec(tag)?.[1];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  const yaml = [...text.matchAll(/\bproperty"?[ \t]*:/g)].flatMap(match => {
    const block = text.slice(match.index + match[0].length, match.index + 300);
    const [, name, value] = /^[\s{]*"?name"?\s*:\s*["']?([\w.-]+)["']?[\s,]*"?value"?\s*:\s*["']?([^\s"',}]+)/.exec(block) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return [...xml, ...yaml];
}

/** The root changelogs beneath a folder: what a liquibase.properties names, else every changelog that no other one includes. */
export function rootChangelogs(context: Context, folder: string): readonly string[] {
  const named = new Set<string>();
  const beneath = pathsUnder(context, folder);
  for (const config of beneath.filter(path => basename(path) === 'liquibase.properties')) {
    const text = readSource(context.files, config)?.text ?? '';
    const written = /^[ \t]*(?:liquibase\.command\.)?(?:changeLogFile|changelog-?file)[ \t]*[:=][ \t]*(\S+)/mi.exec(text)?.[1];
    const target = written === undefined ? undefined
      : resolve(context, { kind: 'include', path: written, relative: false }, config, dirname(config));
    if (target !== undefined) named.add(target);
  }
  if (named.size > 0) return [...named];
  const changelogs = beneath.filter(path => /\.(?:xml|ya?ml|json)$/.test(path) && /changelog/i.test(basename(path))
    && /databaseChangeLog/.test(readSource(context.files, path)?.text ?? ''));
  const included = new Set(changelogs.flatMap(path => includesOf(path, readSource(context.files, path)?.text ?? '')
    .flatMap(include => resolve(context, include, path, dirname(path)) ?? [])));
  const roots = changelogs.filter(path => !included.has(path) && ![...included].some(one => path.startsWith(`${one}/`)));
  const isMaster = (path: string): number => Number(/master|root/i.test(basename(path)));
  return roots.toSorted((a, b) => isMaster(b) - isMaster(a) || a.split('/').length - b.split('/').length);
}
