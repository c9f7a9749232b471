#!/usr/bin/env node
/**
 * The entry of the command line. It loads nothing before it knows the command: `--help` and `--version` cost no more than Node itself.
 */
import { help } from './help.ts';
import { version } from './version.ts';

/** What the words ask for without any command; undefined when there is one to run. */
function answer(words: readonly string[]): string | undefined {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  if (options.some(word => word === '--help' || word === '-h') || (words[0] === 'help' && words.length === 1)) return help;
  return options.some(word => word === '--version' || word === '-V' || word === '-v') ? `${version()}\n` : undefined;
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

async function main(words: readonly string[]): Promise<void> {
  const text = answer(words);
  if (text !== undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    process.exitCode = await (await import('./loading.ts')).loadCommands().run(words);
  } catch (error) {
    process.stderr.write(`mvlint: it cannot be loaded: ${String(error)}\n`);
    process.exitCode = 2;
  }
}

void main(process.argv.slice(2));
