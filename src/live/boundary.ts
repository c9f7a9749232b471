import type { SqlFailure } from '../model.ts';
import { decodeLiteral } from '../sql/literal.ts';
import { identifierText, tokenize, type Token } from '../sql/tokens.ts';

/** The answer to a statement that was not sent; `MVL` is a class of SQLSTATE that Postgres leaves to others. */
export const notSentState = 'MVL01';

/**
 * Functions that read or write files, ask other servers, or end this one: Postgres's pages "Generic File Access", "Server Signaling", large objects,
 * dblink, postgres_fdw and adminpack.
 */
const outside = new RegExp(`^(?:${[
  'lo_import', 'lo_export', 'pg_read_file', 'pg_read_binary_file', 'pg_ls_\\w+', 'pg_stat_file', 'pg_file_\\w+', 'pg_logdir_ls', 'pg_current_logfile',
  'pg_rotate_logfile', 'pg_terminate_backend', 'pg_cancel_backend', 'pg_reload_conf', 'pg_promote', 'pg_switch_wal', 'pg_\\w+_replication_slot', 'dblink\\w*', 'postgres_fdw_\\w+',
].join('|')})$`);

/** Texts that may hold one of these, a statement of `startReason`, or a text that is put together. */
const suspicious = /execute|\|\||copy|load|lo_|pg_|dblink|postgres_fdw|subscription|import|tablespace|language/i;
/** Texts that may hold a statement of `sharedReason`. */
const suspiciousHere = /\b(?:role|user|group|database|system|tablespace|grant|revoke|owned)\b|\|\|/i;

/** Words after which a new statement begins inside a routine body. */
const statementStarts = new Set(['begin', 'then', 'else', 'loop', 'execute', 'atomic', 'do']);

const isComment = (token: Token): boolean => token.kind === 'lineComment' || token.kind === 'blockComment';
const wordAt = (sql: string, tokens: readonly Token[], at: number): string | undefined => {
  const token = tokens[at];
  return token?.kind === 'word' ? identifierText(sql, token) : undefined;
};

const waits = 'COPY FROM stdin waits for rows that nobody sends';

/** Why a COPY that begins at `at` may not be sent: only COPY … TO STDOUT neither waits for input nor touches a file. */
function copyReason(sql: string, tokens: readonly Token[], at: number): string | undefined {
  let depth = 0;
  for (let i = at + 1; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    const text = sql.slice(token.start, token.end);
    if (text === '(') depth++;
    else if (text === ')') depth--;
    else if (text === ';' && depth <= 0) return undefined;
    else if (depth === 0 && token.kind === 'word' && /^(from|to)$/i.test(text)) {
      const target = wordAt(sql, tokens, i + 1);
      const next = tokens[i + 1];
      if (target === 'stdin' || target === 'pstdin') return /^from$/i.test(text) ? waits : undefined;
      if (target === 'stdout' || target === 'pstdout') return /^to$/i.test(text) ? undefined : 'COPY FROM stdout waits for rows that nobody sends';
      if (target === 'program') return 'COPY with PROGRAM runs a command of the operating system';
      if (next?.kind === 'string') return 'COPY with a file leaves the laboratory';
    }
  }
  return undefined;
}

/** Why a statement that begins at `at` may not be sent, from its first words; its expressions are looked at apart. */
function startReason(sql: string, tokens: readonly Token[], at: number): string | undefined {
  const words = [0, 1, 2].map(ahead => wordAt(sql, tokens, at + ahead));
  switch (words[0]) {
    case 'copy': return copyReason(sql, tokens, at);
    case 'load': return tokens[at + 1]?.kind === 'string' ? 'LOAD runs a library of the operating system' : undefined;
    case 'import': return words[1] === 'foreign' && words[2] === 'schema' ? 'IMPORT FOREIGN SCHEMA asks another server' : undefined;
    case 'create':
      if (words[1] === 'subscription') return 'CREATE SUBSCRIPTION connects to another server';
      if (words[1] === 'tablespace') return 'CREATE TABLESPACE needs a folder of the machine';
      return undefined;
    default: return undefined;
  }
}

/** Why a statement that begins at `at` may not be sent to a server that others use, too: it changes what all databases of the server share. */
function sharedReason(sql: string, tokens: readonly Token[], at: number): string | undefined {
  const [verb, what] = [0, 1].map(ahead => wordAt(sql, tokens, at + ahead));
  if (verb === 'alter' && what === 'system') return 'ALTER SYSTEM changes the whole server';
  if ((verb === 'create' || verb === 'alter' || verb === 'drop') && what !== undefined && /^(?:role|user|group)$/.test(what) && wordAt(sql, tokens, at + 2) !== 'mapping')
    return 'roles belong to the whole server';
  if ((verb === 'create' || verb === 'alter' || verb === 'drop') && what !== undefined && /^(?:database|tablespace)$/.test(what)) return `${verb.toUpperCase()} ${what.toUpperCase()} changes the whole server`;
  if ((verb === 'drop' || verb === 'reassign') && what === 'owned') return `${verb.toUpperCase()} OWNED reaches what roles own and may do in other databases`;
  if (verb !== 'grant' && verb !== 'revoke') return undefined;
  // GRANT role TO role has no ON before its TO; neither has REVOKE before its FROM.
  for (let next = at + 1; next < tokens.length; next++) {
    const word = wordAt(sql, tokens, next);
    if (word === 'on') {
      const on = wordAt(sql, tokens, next + 1) ?? '';
      return /^(?:database|tablespace|parameter)$/.test(on) ? `rights on a ${on} belong to the whole server` : undefined;
    }
    if (word === 'to' || word === 'from') return 'memberships of roles belong to the whole server';
    if (operatorAt(sql, tokens, next) === ';') return undefined;
  }
  return undefined;
}

/** The text of the literal at `at` and of those that `||` joins to it, and the index of the last one. */
function joinedLiteral(sql: string, tokens: readonly Token[], at: number): { readonly text: string; readonly last: number } {
  let text = '';
  let last = at;
  for (let next = at; tokens[next]?.kind === 'string';) {
    const token = tokens[next] as Token;
    text += decodeLiteral(sql, token.start, token.end)?.text ?? '';
    last = next;
    if (operatorAt(sql, tokens, next + 1) === '||') next += 2;
    else break;
  }
  return { text, last };
}
const operatorAt = (sql: string, tokens: readonly Token[], at: number): string => sql.slice(tokens[at]?.start ?? 0, tokens[at]?.end ?? 0);

function reasonIn(sql: string, depth: number, shared: boolean): string | undefined {
  const tokens = tokenize(sql).filter(token => !isComment(token));
  const first = wordAt(sql, tokens, 0);
  // Its text is only text; a comment on a role is seen in every database.
  if (first === 'comment')
    return shared && /^(?:role|database|tablespace)$/.test(wordAt(sql, tokens, 2) ?? '') ? 'a comment on a role, a database or a tablespace is seen in the whole server' : undefined;
  const routine = first === 'create' && tokens.slice(1, 5).some((_, at) => /^(?:function|procedure)$/.test(wordAt(sql, tokens, at + 1) ?? ''));
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.kind === 'word' || token.kind === 'quotedIdentifier') {
      const name = identifierText(sql, token);
      const next = tokens[at + 1];
      if (outside.test(name) && next && sql.startsWith('(', next.start)) return `${name} reaches outside the laboratory`;
      if (token.kind !== 'word') continue;
      if (routine && name === 'language' && namesC(sql, tokens, at + 1)) return 'a routine in C runs a library of the operating system';
      const before = tokens[at - 1];
      const starts = !before || sql.startsWith(';', before.start) || (before.kind === 'word' && statementStarts.has(identifierText(sql, before)));
      const reason = starts ? startReason(sql, tokens, at) ?? (shared ? sharedReason(sql, tokens, at) : undefined) : undefined;
      if (reason) return reason;
    } else if (token.kind === 'string' && depth < 4) {
      const { text, last } = joinedLiteral(sql, tokens, at);
      const reason = suspicious.test(text) || (shared && suspiciousHere.test(text)) ? reasonIn(text, depth + 1, shared) : undefined;
      if (reason) return reason;
      at = last;
    }
  }
  return undefined;
}

/** `LANGUAGE c`, and `LANGUAGE 'c'` of old dumps. */
const namesC = (sql: string, tokens: readonly Token[], at: number): boolean => /^'?c'?$/i.test(operatorAt(sql, tokens, at));

/**
 * Why a statement may not be sent to a throwaway server: it would wait for ever (COPY FROM stdin blocks PGlite's thread, measured, facts 6),
 * or reach a file, a program, a library or another server. Decided on tokens, in literals (joined by || too) and routine bodies; text of COMMENT ON
 * is only text. Left out: names that are put together while a routine runs. What gets past this meets a server without a network whose files
 * are in memory (shown by a test). `data`: the rows of a COPY … FROM stdin are at hand. `shared`: others use the server, too, and what belongs to all its
 * databases (roles, databases, settings) stays as it is.
 */
export function reasonNotToSend(sql: string, { data = false, shared = false }: { readonly data?: boolean; readonly shared?: boolean } = {}): string | undefined {
  const reason = reasonIn(sql, 0, shared);
  return data && reason === waits && fromBlob(sql) !== undefined ? undefined : reason;
}

/** COPY … FROM STDIN as PGlite takes its rows: from '/dev/blob'. Undefined for every other statement. */
export function fromBlob(sql: string): string | undefined {
  const tokens = tokenize(sql).filter(token => !isComment(token));
  if (wordAt(sql, tokens, 0) !== 'copy') return undefined;
  const at = tokens.findIndex((token, index) => token.kind === 'word' && /^p?stdin$/i.test(sql.slice(token.start, token.end)) && wordAt(sql, tokens, index - 1) === 'from');
  const token = tokens[at];
  return token && `${sql.slice(0, token.start)}'/dev/blob'${sql.slice(token.end)}`;
}

/** The refusal itself, as an answer. */
export function refusedUnsent(reason: string): SqlFailure & { readonly notSent: true } {
  return { sqlstate: notSentState, message: `mvlint did not send the statement: ${reason}`, notSent: true };
}
