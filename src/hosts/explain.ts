import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { describe, explain, type RuleDescription, type Severity } from '../index.ts';
import { readArguments } from './arguments.ts';
import { colorful, toStdout } from './check.ts';
import { suggestion, UsageError } from './usage.ts';
import { packageRoot } from './version.ts';

/** `mvlint explain <rule>`: the page of a rule. The page of the package has the examples; without it the rule's own words serve. */
export async function explainCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['color', 'no-color', 'debug']);
  const names = words.words.flatMap(word => (word.option === undefined && word.value !== undefined ? [word.value] : []));
  const [id] = names;
  if (id === undefined || names.length > 1) throw new UsageError('explain takes the id of one rule; mvlint rules lists them');
  const page = explain(id);
  if (page === undefined) throw new UsageError(`there is no rule '${id}'${suggestion(id, describe().map(rule => rule.id), '; see mvlint rules')}`);
  await toStdout(terminal(pageOf(id) ?? page, colorful(words)));
  return 0;
}

function pageOf(id: string): string | undefined {
  try {
    return readFileSync(join(packageRoot(), 'rules', `${id}.md`), 'utf8');
  } catch {
    return undefined;
  }
}

/** Markdown as a terminal shows it: headings bold, code indented, no fences, comments and link brackets gone. */
export function terminal(markdown: string, color: boolean): string {
  const colors = createColors(color);
  let code = false;
  const lines: string[] = [];
  let prose: string[] = [];
  const flush = (): void => {
    if (prose.length > 0) lines.push(inline(prose.join('\n'), colors));
    prose = [];
  };
  for (const line of markdown.replace(/<!--[\s\S]*?-->\n*/g, '').split('\n')) {
    const fence = /^\s*(?:```|~~~)/.test(line);
    const heading = code ? null : /^#+\s+(.*)/.exec(line);
    // What goes on over a line end (a code span, a link) is one with the next line; a blank line, a heading or a fence ends it.
    if (!fence && !code && heading === null && line.trim() !== '') {
      prose.push(line);
      continue;
    }
    flush();
    if (fence) code = !code;
    else if (code) lines.push(`    ${colors.dim(line)}`.trimEnd());
    else lines.push(heading === null ? '' : colors.bold(inline(heading[1] ?? '', colors)));
  }
  flush();
  return `${lines.join('\n').replace(/\n{3,}/g, '\n\n').trim()}\n`;
}

/** The prose of a paragraph; what is painted over a line end is painted line by line, so that a pager shows it. */
function inline(text: string, colors: ReturnType<typeof createColors>): string {
  const painted = (paint: (text: string) => string) => (_: string, inner: string): string => inner.split('\n').map(line => paint(line)).join('\n');
  return text.replace(/\[([^\]]+)\]\((https?:[^)]+)\)/g, '$1 ($2)').replace(/<(https?:[^>]+)>/g, '$1')
    .replace(/`([^`]+)`/g, painted(colors.cyan)).replace(/\*\*([^*]+)\*\*/g, painted(colors.bold));
}

/** `mvlint rules`: the table; `--format json` for machines. */
export async function rulesCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['color', 'no-color', 'debug', 'format', 'postgres']);
  const stray = words.words.find(word => word.option === undefined);
  if (stray !== undefined) throw new UsageError(`rules takes no paths, but has '${stray.value ?? ''}'; mvlint explain <rule> shows one`);
  const format = words.choice('format', ['text', 'json']) ?? 'text';
  const rules = describe(Number(words.choice('postgres', ['14', '15', '16', '17', '18']) ?? 18));
  await toStdout(format === 'json' ? `${JSON.stringify(rules.map(described), undefined, 2)}\n` : table(rules, colorful(words)));
  return 0;
}

function described({ now, presets, ...meta }: RuleDescription): object {
  return { ...meta, presets, severity: now };
}

function table(rules: readonly RuleDescription[], color: boolean): string {
  const colors = createColors(color);
  const paint: Readonly<Record<Severity | 'off', (text: string) => string>> = { error: colors.red, warning: colors.yellow, note: colors.cyan, off: colors.dim };
  const width = Math.max(0, ...rules.map(rule => rule.id.length));
  return rules.map(rule => `${paint[rule.now](rule.now.padEnd(7))}  ${colors.bold(rule.id.padEnd(width))}  ${rule.summary}\n`).join('');
}
