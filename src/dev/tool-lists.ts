import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolIds, tools } from '../read/tools.ts';

const root = join(import.meta.dirname, '../..');

/** Breaks words into lines of at most `width` characters. */
function wrapped(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const listed = `${toolIds.slice(0, -1).join(', ')} or ${toolIds.at(-1) ?? ''}`;
const titles = Object.values(tools).map(({ title }) => title);

/** Where the tools are named outside of `read/tools.ts`, and how each place writes them. */
const places: Readonly<Record<string, (text: string) => string>> = {
  'src/hosts/help.ts': text => text.replace(/^ {2}--tool <tool>[^\n]*\n(?: {31}[^\n]*\n)*/m,
    `  --tool <tool>                ${wrapped(`the migration tool, where detection is not enough: ${listed}`.split(' '), 90).join(`\n${' '.repeat(31)}`)}\n`),
  'src/report/config.schema.json': text => withEnum(text),
  'src/report/report.schema.json': text => withEnum(text),
  'action.yml': text => text.replace(/(The migration tool, where detection would be ambiguous) \([^)]*\)/, `$1 (${toolIds.join(', ')})`),
  'README.md': text => text.replace(/^The tools whose order, placeholders and transactions are modelled: .*$/m,
    `The tools whose order, placeholders and transactions are modelled: ${titles.join(', ')}.`),
};

const withEnum = (text: string): string => text.replace(/"enum": ?\["psql"[^\]]*\]/g, `"enum": [${toolIds.map(id => `"${id}"`).join(', ')}]`);

/** Every file that names the tools, with today's list; `others` are texts that have been generated already. */
export function toolLists(others: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(places).map(([path, write]) => [path, write(others.get(path) ?? readFileSync(join(root, path), 'utf8'))]));
}
