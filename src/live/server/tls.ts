import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';

/** One way of opening a connection: in the clear, or with these TLS options. */
export type Channel = { readonly tls: false } | { readonly tls: true; readonly options: ConnectionOptions; readonly direct: boolean };
export type Channels = { readonly ok: true; readonly channels: readonly Channel[] } | { readonly ok: false; readonly problem: string };

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = typeof modes[number];

const wrong = (problem: string): Channels => ({ ok: false, problem });

/** A file that is named has to be readable; a default one only has to be when it is there. */
function file(named: string | undefined, fallback: string, what: string): { readonly text?: string; readonly problem?: string } {
  if (named === undefined && !existsSync(fallback)) return {};
  try {
    return { text: readFileSync(named ?? fallback, 'utf8') };
  } catch {
    return { problem: `the ${what} cannot be read` };
  }
}

/**
 * The ways to try, in order, by libpq's sslmode (https://www.postgresql.org/docs/18/libpq-ssl.html): `prefer`, the default, falls back to the clear
 * when the server speaks no TLS; `require` demands it without asking who answers, unless there is a root certificate; the verify modes ask.
 */
export function channelsOf(values: ReadonlyMap<string, string>, host: string): Channels {
  const system = values.get('sslrootcert') === 'system';
  const mode = (values.get('sslmode') ?? (system ? 'verify-full' : 'prefer')) as Mode;
  if (!modes.includes(mode)) return wrong(`sslmode is one of ${modes.join(', ')}`);
  const clear: Channel = { tls: false };
  // libpq ignores sslmode on sockets.
  if (mode === 'disable' || host.startsWith('/')) return { ok: true, channels: [clear] };
  if (system && mode !== 'verify-full') return wrong('sslrootcert=system needs sslmode=verify-full');
  const folder = join(values.get('home') ?? '', '.postgresql');
  const root = system ? {} : file(values.get('sslrootcert'), join(folder, 'root.crt'), 'root certificate of sslrootcert');
  const certificate = file(values.get('sslcert'), join(folder, 'postgresql.crt'), 'certificate of sslcert');
  const key = file(values.get('sslkey'), join(folder, 'postgresql.key'), 'key of sslkey');
  const revoked = file(values.get('sslcrl'), join(folder, 'root.crl'), 'list of sslcrl');
  const problem = root.problem ?? certificate.problem ?? key.problem ?? revoked.problem;
  if (problem !== undefined) return wrong(problem);
  if (mode.startsWith('verify') && !system && root.text === undefined)
    return wrong(`sslmode=${mode} needs a root certificate: name it with sslrootcert, put it in ~/.postgresql/root.crt, or trust the system's with sslrootcert=system`);
  const negotiation = values.get('sslnegotiation') ?? 'postgres';
  if (negotiation !== 'postgres' && negotiation !== 'direct') return wrong('sslnegotiation is postgres or direct');
  const direct = negotiation === 'direct';
  if (direct && (mode === 'allow' || mode === 'prefer')) return wrong('sslnegotiation=direct needs sslmode=require or stronger');
  const verified = mode.startsWith('verify') || (mode === 'require' && root.text !== undefined);
  const passphrase = values.get('sslpassword');
  const encrypted: Channel = {
    tls: true, direct,
    options: {
      rejectUnauthorized: verified,
      ...(root.text === undefined ? {} : { ca: root.text }), ...(certificate.text === undefined ? {} : { cert: certificate.text }),
      ...(key.text === undefined ? {} : { key: key.text }), ...(revoked.text === undefined ? {} : { crl: revoked.text }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    },
  };
  switch (mode) {
    case 'allow': return { ok: true, channels: [clear, encrypted] };
    case 'prefer': return { ok: true, channels: [encrypted, clear] };
    default: return { ok: true, channels: [encrypted] };
  }
}
