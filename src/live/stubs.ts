import type { Gap, History, Statement } from '../model.ts';
import { quoteIdent } from '../sql/print.ts';
import { identifierText, tokenize, type Token } from '../sql/tokens.ts';
import { leadingWords } from './control.ts';

/** A statement and what stands in for it. */
interface Sighting { readonly name: string; readonly statement: Statement }

const reserved = new Set(['public', 'current_user', 'session_user', 'current_role', 'none', 'default', 'postgres', 'user', 'group', 'role']);
const createsRole = /\bcreate\s+(?:role|user|group)\s+(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[a-z_][\w$]*)/gi;
const createsExtension = /\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[a-z_][\w$]*)/gi;
const unquoted = (word: string): string => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase());

function* statementsOf(history: History): Iterable<Statement> {
  for (const migration of history.migrations) for (const unit of migration.up) yield* unit.statements;
}

/** Extensions that the history creates, in text of any kind (bodies and DO blocks too). */
export function extensionsOf(history: History): readonly string[] {
  const names = new Set<string>();
  for (const statement of statementsOf(history)) for (const match of statement.sql.matchAll(createsExtension)) names.add(unquoted(match[1] ?? ''));
  return [...names];
}

/** The extension that a CREATE, ALTER, DROP or COMMENT ON EXTENSION is about; undefined for other statements. */
export function extensionNamed(sql: string): string | undefined {
  const words = leadingWords(sql, 3);
  const about = words[1] === 'extension' || (words[0] === 'comment' && words[2] === 'extension');
  if (!about || !['create', 'alter', 'drop', 'comment'].includes(words[0] ?? '')) return undefined;
  const match = /\bextension\s+(?:if\s+(?:not\s+)?exists\s+)?("(?:[^"]|"")+"|[a-z_][\w$]*)/i.exec(sql);
  return match?.[1] === undefined ? undefined : unquoted(match[1]);
}

/** Words after which a role is named, by the statement's first word. */
const introducers: Readonly<Record<string, readonly string[]>> = {
  grant: ['to', 'by'], revoke: ['from', 'by'], create: ['authorization'], set: ['role', 'authorization'], reassign: ['by', 'to'],
};

/** Roles a statement needs: grantees, owners, members. Token by token; a word that only looks like a role costs an unused role in a throwaway server. */
function rolesNeeded(sql: string): readonly string[] {
  const tokens = tokenize(sql).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  const word = (token: Token | undefined): string | undefined =>
    (token?.kind === 'word' || token?.kind === 'quotedIdentifier' ? identifierText(sql, token) : undefined);
  const first = word(tokens[0]) ?? '';
  const second = word(tokens[1]) ?? '';
  const policy = second === 'policy' && (first === 'create' || first === 'alter');
  const defaults = first === 'alter' && second === 'default';
  const after = new Set([...(introducers[first] ?? []), ...(policy || defaults ? ['to'] : []), ...(defaults ? ['from', 'role', 'user'] : [])]);
  // GRANT role TO role has no ON; ALTER ROLE names one at once.
  if ((first === 'grant' || first === 'revoke') && !tokens.some(token => word(token) === 'on')) after.add(first);
  if (first === 'alter' && (second === 'role' || second === 'user')) after.add('alter');
  const names: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    const text = token.kind === 'word' ? identifierText(sql, token) : '';
    const owner = text === 'to' && word(tokens[at - 1]) === 'owner';
    // ALTER DEFAULT PRIVILEGES … GRANT … ON TABLES TO x: `to` and `role` introduce; SET x TO y of other statements does not.
    if (!owner && !after.has(text)) continue;
    let next = at + 1;
    do {
      while (['group', 'role', 'user'].includes(word(tokens[next]) ?? '') && tokens[next]?.kind === 'word') next++;
      const name = word(tokens[next]);
      if (name !== undefined) names.push(name);
      next += 2;
    } while (tokens[next - 1] && sql.startsWith(',', tokens[next - 1]?.start));
  }
  return names.filter(name => !reserved.has(name) && !name.startsWith('pg_'));
}

/**
 * Roles that the history grants to or names as owners and never makes: on a real server somebody made them, so the laboratory makes them first.
 * One gap each, at the first statement that needs it.
 */
export function missingRoles(history: History): readonly { readonly create: string; readonly gap: Gap }[] {
  const made = new Set<string>();
  for (const statement of statementsOf(history)) for (const match of statement.sql.matchAll(createsRole)) made.add(unquoted(match[1] ?? ''));
  const needed = new Map<string, Sighting>();
  for (const statement of statementsOf(history))
    for (const name of rolesNeeded(statement.sql)) if (!made.has(name) && !needed.has(name)) needed.set(name, { name, statement });
  return [...needed.values()].map(({ name, statement }) => ({
    create: `CREATE ROLE ${quoteIdent(name)}`,
    gap: { span: statement.span, because: `the history does not make the role ${quoteIdent(name)}; the laboratory made it` },
  }));
}
