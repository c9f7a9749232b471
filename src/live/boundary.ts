import type { SqlFailure } from '../model.ts';
import { decodeLiteral } from '../sql/literal.ts';
import { identifierText, tokenize, type Token } from '../sql/tokens.ts';

/** The answer to a statement that was not sent; `MVL` is a class of SQLSTATE that Postgres leaves to others. */
export const notSentState = 'MVL01';

/** Functions that read or write files, or end the server. All are superuser functions of Postgres's "Generic File Access" and large-object pages. */
const outside = new Set([
  'lo_import', 'lo_export', 'pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'pg_file_write', 'pg_file_unlink', 'pg_file_rename', 'pg_terminate_backend',
]);

/** Words after which a new statement begins inside a routine body. */
const statementStarts = new Set(['begin', 'then', 'else', 'loop', 'execute', 'atomic', 'do']);

const isComment = (token: Token): boolean => token.kind === 'lineComment' || token.kind === 'blockComment';
const wordAt = (sql: string, tokens: readonly Token[], at: number): string | undefined => {
  const token = tokens[at];
  return token?.kind === 'word' ? identifierText(sql, token) : undefined;
};

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
      if (target === 'stdin' || target === 'pstdin') return /^from$/i.test(text) ? 'COPY FROM stdin waits for rows that nobody sends' : undefined;
      if (target === 'stdout' || target === 'pstdout') return /^to$/i.test(text) ? undefined : 'COPY FROM stdout waits for rows that nobody sends';
      if (target === 'program') return 'COPY with PROGRAM runs a command of the operating system';
      if (next?.kind === 'string') return 'COPY with a file leaves the laboratory';
    }
  }
  return undefined;
}

function reasonIn(sql: string, depth: number): string | undefined {
  const tokens = tokenize(sql).filter(token => !isComment(token));
  const first = wordAt(sql, tokens, 0);
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.kind === 'word' || token.kind === 'quotedIdentifier') {
      const name = identifierText(sql, token);
      const next = tokens[at + 1];
      if (outside.has(name) && next && sql.startsWith('(', next.start)) return `${name} reaches outside the laboratory`;
      const before = tokens[at - 1];
      const starts = !before || sql.startsWith(';', before.start) || (before.kind === 'word' && statementStarts.has(identifierText(sql, before)));
      if (token.kind === 'word' && starts && name === 'copy') {
        const reason = copyReason(sql, tokens, at);
        if (reason) return reason;
      }
      if (token.kind === 'word' && starts && name === 'load' && tokens[at + 1]?.kind === 'string') return 'LOAD runs a library of the operating system';
    } else if (token.kind === 'string' && depth < 4 && first !== 'comment') {
      const literal = decodeLiteral(sql, token.start, token.end);
      const reason = literal && /copy|load|lo_|pg_/i.test(literal.text) ? reasonIn(literal.text, depth + 1) : undefined;
      if (reason) return reason;
    }
  }
  return undefined;
}

/**
 * Why a statement may not be sent to the embedded server: it would wait for ever (COPY FROM stdin blocks PGlite's thread, measured, facts 6),
 * or reach a file, a program or a library. Decided on tokens, in literals and routine bodies too; text of COMMENT ON is only text.
 */
export function reasonNotToSend(sql: string): string | undefined {
  return reasonIn(sql, 0);
}

/** The refusal itself, as an answer. */
export function refusedUnsent(reason: string): SqlFailure & { readonly notSent: true } {
  return { sqlstate: notSentState, message: `mvlint did not send the statement: ${reason}`, notSent: true };
}
