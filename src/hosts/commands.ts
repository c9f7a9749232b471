/** The commands behind the entry of the command line, each loaded when it is asked for, and the last net under all of them. */
import { flagsForThreads, useThread, type ParserThread } from '../index.ts';
import { UsageError } from './usage.ts';
import { flags } from './v8.ts';
import { version } from './version.ts';

/** Promised commands that this version does not have. */
const missing = ['plan', 'graph', 'lsp', 'init'];

/**
 * Runs a command line, without the name of the program. Answers with the exit status; never rejects: what is thrown is one line on stderr and status 2.
 * `thread`: that of the parser, where it was begun before this was loaded.
 */
export async function run(words: readonly string[], thread?: ParserThread): Promise<number> {
  try {
    if (thread !== undefined) useThread(thread);
    return await command(words);
  } catch (error) {
    const text = error instanceof UsageError ? error.message : `this is a mistake of mvlint, please report it: ${error instanceof Error ? error.message : String(error)}`;
    process.stderr.write(withoutUrls(`mvlint: ${text.replace(/\s*\n\s*/g, ' ')}\n`));
    if (words.includes('--debug')) process.stderr.write(withoutUrls(`${error instanceof Error ? error.stack : ''}\n`));
    return 2;
  }
}

async function command(words: readonly string[]): Promise<number> {
  flagsForThreads(flags);
  const [name, ...rest] = words;
  switch (name) {
    case 'explain': return (await import('./explain.ts')).explainCommand(rest);
    case 'explain-view': return (await import('./explain-view.ts')).explainViewCommand(rest);
    case 'ivm': return (await import('./ivm.ts')).ivmCommand(rest);
    case 'rules': return (await import('./explain.ts')).rulesCommand(rest);
    case 'inventory': return (await import('./inventory.ts')).inventoryCommand(rest);
    case 'snapshot': return (await import('./snapshot.ts')).snapshotCommand(rest);
    case 'trace': return (await import('./trace.ts')).traceCommand(rest);
    case 'check': return (await import('./check.ts')).checkCommand(rest);
    default:
      if (name !== undefined && missing.includes(name)) throw new UsageError(`mvlint ${version()} does not have '${name}' yet; its commands are check, explain, explain-view, ivm, rules, inventory, snapshot and trace`);
      return (await import('./check.ts')).checkCommand(words);
  }
}

/** A database URL that slipped into an error is not shown, whatever wrote it. */
function withoutUrls(text: string): string {
  return text.replace(/postgres(?:ql)?:\/\/[^\s,]+/gi, 'postgres://…');
}
