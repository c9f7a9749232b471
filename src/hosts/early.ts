/** What begins before the commands are loaded, on another processor. */
import { beginThread, threadFile, type ParserThread } from '../sql/thread.ts';
import { flags } from './v8.ts';

/** The parser's thread, for a history that is known to be long (measured: 1,000 files a twentieth sooner). Undefined where there is none. */
export const beginParser = (): ParserThread | undefined => beginThread(threadFile, flags);
