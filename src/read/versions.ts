import type { Evidence } from '../model.ts';
import type { Context } from './context.ts';
import { ancestors, join } from './paths.ts';
import { readSource } from './text.ts';

/** The version of a package as the nearest lockfile or manifest says it. */
export interface PackageVersion {
  readonly major: number;
  readonly minor: number;
  readonly evidence: Evidence;
}

const lockfiles: readonly { readonly name: string; readonly pattern: (names: string) => RegExp }[] = [
  { name: 'package-lock.json', pattern: names => new RegExp(`"node_modules/(?:${names})":\\s*\\{\\s*"version":\\s*"(\\d+)\\.(\\d+)[^"]*"`) },
  { name: 'pnpm-lock.yaml', pattern: names => new RegExp(`^\\s+'?/?(?:${names})[@/](\\d+)\\.(\\d+)[^\\n]*`, 'm') },
  { name: 'yarn.lock', pattern: names => new RegExp(`^"?(?:${names})@[^\\n]*:\\n\\s+version:?\\s+"?(\\d+)\\.(\\d+)[^\\n]*`, 'm') },
  { name: 'bun.lock', pattern: names => new RegExp(`"(?:${names})":\\s*\\["(?:${names})@(\\d+)\\.(\\d+)[^"]*"`) },
  // The least version a range allows: the stricter reading.
  { name: 'package.json', pattern: names => new RegExp(`"(?:${names})"\\s*:\\s*"[\\^~>=v\\s]*(\\d+)(?:\\.(\\d+))?[^"]*"`) },
];

/** The version of the nearest package that depends on one of `names`; a lockfile beside it or above it knows better than its range. */
export function packageVersion(context: Context, folder: string, tool: string, names: readonly string[]): PackageVersion | undefined {
  for (const level of ancestors(folder)) {
    for (const { name, pattern } of lockfiles) {
      const path = join(level, name);
      if (!context.known.has(path)) continue;
      const match = pattern(names.join('|')).exec(readSource(context.files, path)?.text ?? '');
      if (match === null) continue;
      return {
        major: Number(match[1]), minor: Number(match[2] ?? 0),
        evidence: { span: { path, start: match.index, end: match.index + match[0].length }, says: `${tool} ${match[1]}.${match[2] ?? 0}` },
      };
    }
  }
  return undefined;
}

/** Whether a version is this one or a later one. */
export const atLeast = ({ major, minor }: PackageVersion, wanted: { readonly major: number; readonly minor: number }): boolean =>
  major > wanted.major || (major === wanted.major && minor >= wanted.minor);
