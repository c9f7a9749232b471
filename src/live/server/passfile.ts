/** Reads a file as libpq would; undefined when it is not there. `mode` are its permission bits, undefined where the system has none. */
export type ReadSecret = (path: string) => { readonly text: string; readonly mode?: number } | undefined;

/** Splits a line at its unescaped colons; `\:` and `\\` stand for themselves (https://www.postgresql.org/docs/18/libpq-pgpass.html). */
function fields(line: string): readonly string[] {
  const found: string[] = [];
  let field = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '\\' && at + 1 < line.length) field += line.charAt(at += 1);
    // The password is the rest of the line as far as an unescaped colon, so a fifth field ends there too.
    else if (char === ':') found.push(field), field = '';
    else field += char;
  }
  return [...found, field];
}

export interface Wanted {
  /** `localhost` for a socket in the default folder, as libpq says it. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** The first password of a password file that fits; `*` fits everything. A file that others may read is not used, as libpq does it; then `ignored` says so. */
export function passwordFrom(file: { readonly text: string; readonly mode?: number }, wanted: Wanted): { readonly password?: string; readonly ignored?: string } {
  if (file.mode !== undefined && (file.mode & 0o077) !== 0) return { ignored: 'the password file is not used: others may read it (chmod 600)' };
  const keys = [wanted.host, String(wanted.port), wanted.database, wanted.user];
  for (const line of file.text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const parts = fields(line);
    if (parts.length >= 5 && keys.every((key, at) => parts[at] === '*' || parts[at] === key)) return { password: parts[4] ?? '' };
  }
  return {};
}
