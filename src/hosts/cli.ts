#!/usr/bin/env node
/**
 * The entry of the command line. It loads nothing before it knows the command: `--help` and `--version` cost no more than Node itself.
 */
import { readdirSync } from 'node:fs';
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

/** Folders of so many entries are likely to hold a history that is worth a thread. */
const many = 200;

/** Whether a word names such a folder. */
function holdsMany(word: string): boolean {
  try {
    return !word.startsWith('-') && readdirSync(word).length >= many;
  } catch {
    return false;
  }
}

async function main(words: readonly string[]): Promise<void> {
  const text = answer(words);
  if (text !== undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    const { loadCommands } = await import('./loading.ts');
    const thread = words.some(holdsMany) ? (await import('./early.ts')).beginParser() : undefined;
    process.exitCode = await loadCommands().run(words, thread);
  } catch (error) {
    process.stderr.write(`mvlint: it cannot be loaded: ${String(error)}\n`);
    process.exitCode = 2;
  }
}

void main(process.argv.slice(2));
