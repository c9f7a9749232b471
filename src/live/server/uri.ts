/** What a connection URI gives: libpq's keywords, percent-decoded. Problems name the part that is wrong and never what stands there: it may be a password. */
export type ReadUri =
  | { readonly ok: true; readonly values: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly problem: string };

/** Keywords of libpq that mvlint honours (https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS). */
export const honoured: ReadonlySet<string> = new Set([
  'host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'passfile', 'connect_timeout', 'options', 'application_name', 'fallback_application_name',
  'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl', 'sslnegotiation', 'service', 'target_session_attrs', 'channel_binding',
]);

/** Keywords that change nothing for a short session of reads, or that say what is so anyway. */
const harmless: ReadonlySet<string> = new Set([
  'client_encoding', 'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout', 'sslsni', 'sslcompression', 'gssencmode',
  'krbsrvname', 'gsslib', 'gssdelegation', 'load_balance_hosts', 'sslcertmode', 'uselibpqcompat',
]);

const wrong = (problem: string): ReadUri => ({ ok: false, problem });

/** Percent-decoding as libpq does it: `+` stays, %00 and broken sequences are errors. */
function decoded(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})|%00/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `host:port,[::1]:port` as the two lists that libpq keeps. */
function hostsOf(text: string): { readonly hosts: string; readonly ports: string } | undefined {
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const part of text.split(',')) {
    const [, six, name = '', port = ''] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(part) ?? [];
    if (six === undefined && part !== '' && name === '' && port === '' && part !== ':') return undefined;
    hosts.push(six ?? name);
    ports.push(port);
  }
  return { hosts: hosts.join(','), ports: ports.some(port => port !== '') ? ports.join(',') : '' };
}

/** Reads `postgresql://user:password@host:port,host/db?keyword=value` by libpq's grammar (conninfo_uri_parse_options in fe-connect.c). */
export function readUri(uri: string): ReadUri {
  const [scheme] = /^postgres(?:ql)?:\/\//.exec(uri) ?? [];
  if (scheme === undefined) return wrong('a database URL begins with postgresql://');
  const values = new Map<string, string>();
  const put = (key: string, text: string): boolean => {
    const value = decoded(text);
    if (value === undefined) return false;
    if (value !== '') values.set(key, value);
    return true;
  };
  const rest = uri.slice(scheme.length);
  const question = rest.indexOf('?');
  const path = question < 0 ? rest : rest.slice(0, question);
  const slash = path.indexOf('/');
  const authority = slash < 0 ? path : path.slice(0, slash);
  const at = authority.indexOf('@');
  const user = at < 0 ? '' : authority.slice(0, at);
  const hostText = authority.slice(at + 1);
  const database = slash < 0 ? '' : path.slice(slash + 1);
  // libpq ends the user at the first @ and takes the rest for a host; what remains may be half a password, so nothing of it is used or shown.
  if (hostText.includes('@') || database.includes('@')) return wrong('special characters of its user and password have to be percent-encoded (@ is %40, / is %2F)');
  const colon = user.indexOf(':');
  if (!put('user', colon < 0 ? user : user.slice(0, colon))) return wrong('its user is not percent-encoded rightly');
  if (colon >= 0 && !put('password', user.slice(colon + 1))) return wrong('its password is not percent-encoded rightly (% itself is %25)');
  const hosts = hostsOf(hostText);
  if (hosts === undefined) return wrong('its host or port is not readable; special characters of a password have to be percent-encoded');
  if (!put('host', hosts.hosts) || !put('port', hosts.ports)) return wrong('its host is not percent-encoded rightly');
  if (!put('dbname', database)) return wrong('its database name is not percent-encoded rightly');
  for (const part of question < 0 || question === rest.length - 1 ? [] : rest.slice(question + 1).split('&')) {
    const equals = part.indexOf('=');
    const key = decoded(equals < 0 ? part : part.slice(0, equals));
    if (equals < 0 || key === undefined || part.indexOf('=', equals + 1) >= 0) return wrong('its parameters are not a list of keyword=value');
    const problem = parameter(key, part.slice(equals + 1), put);
    if (problem !== undefined) return wrong(problem);
  }
  return { ok: true, values };
}

function parameter(key: string, text: string, put: (key: string, text: string) => boolean): string | undefined {
  // JDBC's spelling, which libpq takes too.
  if (key === 'ssl') return text === 'true' ? (put('sslmode', 'require'), undefined) : "its parameter ssl is true or absent";
  if (harmless.has(key)) return key === 'gssencmode' && text === 'require' ? 'mvlint does not speak GSSAPI, which gssencmode=require demands' : undefined;
  if (!honoured.has(key)) return /^[a-z_]{1,40}$/.test(key) ? `mvlint does not know its parameter ${key}` : 'one of its parameters is unknown';
  return put(key, text) ? undefined : `its parameter ${key} is not percent-encoded rightly`;
}
