#!/usr/bin/env node
/**
 * The entry of the command line. It loads nothing before it knows the command: `--help` and `--version` cost no more than Node itself.
 */
import { help } from './help.ts';
import { UsageError } from './usage.ts';
import { version } from './version.ts';

/** Promised commands that this version does not have. */
const missing = ['plan', 'graph', 'lsp', 'init'];

async function main(words: readonly string[]): Promise<number> {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  if (options.some(word => word === '--help' || word === '-h') || (words[0] === 'help' && words.length === 1)) return print(help);
  if (options.some(word => word === '--version' || word === '-V' || word === '-v')) return print(`${version()}\n`);
  (await import('./compilation.ts')).keepBaselineWasm();
  const [command, ...rest] = words;
  switch (command) {
    case 'explain': return (await import('./explain.ts')).explainCommand(rest);
    case 'explain-view': return (await import('./explain-view.ts')).explainViewCommand(rest);
    case 'ivm': return (await import('./ivm.ts')).ivmCommand(rest);
    case 'rules': return (await import('./explain.ts')).rulesCommand(rest);
    case 'inventory': return (await import('./inventory.ts')).inventoryCommand(rest);
    case 'snapshot': return (await import('./snapshot.ts')).snapshotCommand(rest);
    case 'trace': return (await import('./trace.ts')).traceCommand(rest);
    case 'check': return (await import('./check.ts')).checkCommand(rest);
    default:
      if (command !== undefined && missing.includes(command)) throw new UsageError(`mvlint ${version()} does not have '${command}' yet; its commands are check, explain, explain-view, ivm, rules, inventory, snapshot and trace`);
      return (await import('./check.ts')).checkCommand(words);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** The last net: a database URL that slipped into an error is not shown, whatever wrote it. */
function withoutUrls(text: string): string {
  return text.replace(/postgres(?:ql)?:\/\/[^\s,]+/gi, 'postgres://…');
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = 2;
  const text = error instanceof UsageError ? error.message : `this is a mistake of mvlint, please report it: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(withoutUrls(`mvlint: ${text.replace(/\s*\n\s*/g, ' ')}\n`));
  if (process.argv.includes('--debug')) process.stderr.write(withoutUrls(`${error instanceof Error ? error.stack : ''}\n`));
}
