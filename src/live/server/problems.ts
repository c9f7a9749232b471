/** What went wrong with a database, in one line for people. */
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable';
}

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly severity?: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof AggregateError && error.errors.length > 0) return failureOf(error.errors[0]);
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const { code, message, severity } = error as { readonly code?: unknown; readonly message?: unknown; readonly severity?: unknown };
  return {
    message: typeof message === 'string' ? message : 'no reason given', ...(typeof code === 'string' ? { code } : {}), ...(typeof severity === 'string' ? { severity } : {}),
  };
}

/** Error codes of Node's sockets and TLS, and SQLSTATEs of a server that turns a connection away. */
const words: Readonly<Record<string, (where: string, message: string) => string>> = {
  ECONNREFUSED: where => `no server listens on ${where}`,
  ENOENT: where => `no server listens on ${where}: there is no such socket`,
  EACCES: where => `the socket of ${where} may not be used by this user`,
  ENOTFOUND: where => `the host of ${where} has no address`,
  EAI_AGAIN: where => `the host of ${where} has no address: the name server does not answer`,
  ETIMEDOUT: where => `${where} does not answer`,
  EHOSTUNREACH: where => `${where} cannot be reached`,
  ENETUNREACH: where => `${where} cannot be reached`,
  ECONNRESET: where => `${where} closed the connection while it was opened; is it PostgreSQL?`,
  DEPTH_ZERO_SELF_SIGNED_CERT: where => `the certificate of ${where} is self-signed; name the authority with sslrootcert`,
  SELF_SIGNED_CERT_IN_CHAIN: where => `the certificate of ${where} comes from an unknown authority; name it with sslrootcert`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: where => `the certificate of ${where} comes from an unknown authority; name it with sslrootcert`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: where => `the certificate of ${where} comes from an unknown authority; name it with sslrootcert`,
  CERT_HAS_EXPIRED: where => `the certificate of ${where} has expired`,
  CERT_REVOKED: where => `the certificate of ${where} was revoked`,
  ERR_TLS_CERT_ALTNAME_INVALID: where => `the certificate of ${where} is for another host; sslmode=verify-full demands its name`,
  '28P01': (where, message) => `${where} refuses the role: ${message}`,
  '28000': (where, message) => `${where} refuses the role: ${message}${/no encryption|SSL off/.test(message) ? ' (it demands TLS: sslmode=require)' : ''}`,
  '3D000': (where, message) => `${where}: ${message}`,
  '42501': (where, message) => `${where} refuses the role: ${message}`,
  '53300': (where, message) => `${where} has no place for another connection: ${message}`,
  '57P03': (where, message) => `${where} is not ready: ${message}`,
};

/** One line about a connection that could not be opened. `where` is `host:port`; nothing else of the URL is in it. */
export function connectionProblem(error: unknown, where: string, seconds: number): string {
  const { code, message } = failureOf(error);
  if (message === 'timeout expired') return `${where} does not answer within ${seconds} s`;
  if (message === 'The server does not support SSL connections') return `${where} speaks no TLS, which sslmode demands`;
  if (message === 'There was an error establishing an SSL connection') return `${where} does not speak TLS as PostgreSQL does`;
  if (message === 'Connection terminated unexpectedly') return `${where} closed the connection while it was opened; is it PostgreSQL?`;
  if (message === noPassword) return `${where} asks for a password: put it in the URL, PGPASSWORD or ~/.pgpass`;
  const known = code === undefined ? undefined : words[code];
  return known ? known(where, message) : `${where}: ${message}`;
}

export const noPassword = 'mvlint has no password';
