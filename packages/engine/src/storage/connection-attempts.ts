/**
 * A connection string as libpq reads it, which Hasura connects with: several hosts are tried in turn, and `sslmode` says
 * whether a connection is encrypted and whose certificate is believed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { EngineError } from '#base/errors.ts';

/** One way to connect. */
export interface Attempt {
  /** Of one host, without anything about encryption. */
  readonly url: string;
  readonly ssl: false | ConnectionOptions;
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

/** The scheme with what is before the hosts, the hosts, the database, the parameters. */
const URL_PARTS = /^(postgres(?:ql)?:\/\/(?:.*@)?)([^/?#@]*)((?:\/[^?]*)?)(?:\?(.*))?$/is;

/**
 * The ways to connect, in the order in which they are tried: for each host those that its `sslmode` allows.
 *
 * @throws {EngineError} `invalid-configuration` for an `sslmode` that there is not, or a certificate that is not there
 */
export function connectionAttempts(url: string): readonly [Attempt, ...Attempt[]] {
  const [, before, authority, path, query = ''] = URL_PARTS.exec(url) ?? [];
  // Another form of connection string is left to the client.
  if (before === undefined || authority === undefined || path === undefined) return [{ url, ssl: false }];
  const parameters = new URLSearchParams(query);
  const mode = sslMode(parameters.get('sslmode'));
  const hosts = (parameters.get('host') ?? authority).split(',');
  const ports = parameters.get('port')?.split(',');
  const rest = new URLSearchParams([...parameters].filter(([name]) => !name.startsWith('ssl')));
  const attempts = hosts.flatMap((host, index): Attempt[] => {
    const port = ports?.[index] ?? ports?.[0];
    const own = new URLSearchParams(rest);
    if (parameters.has('host')) own.set('host', host);
    if (port !== undefined) own.set('port', port);
    const text = own.size === 0 ? '' : `?${own}`;
    const address = parameters.has('host') ? authority : host;
    const one = `${before}${address}${path}${text}`;
    const isSocket = host.startsWith('/') || host.startsWith('%2F');
    return (isSocket ? [false as const] : encryptions(mode, parameters, hostName(host))).map((ssl) => ({
      url: one,
      ssl,
    }));
  });
  const [first, ...others] = attempts;
  return first === undefined ? [{ url, ssl: false }] : [first, ...others];
}

function sslMode(given: string | null): SslMode {
  if (given === null) return 'prefer';
  const found = SSL_MODES.find((mode) => mode === given);
  if (found !== undefined) return found;
  throw new EngineError(
    'invalid-configuration',
    `sslmode "${given}" is not one of ${SSL_MODES.join(', ')}; correct the connection string`,
  );
}

/** Without its port, and without the brackets of an address. */
const hostName = (host: string) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');

function encryptions(
  mode: SslMode,
  parameters: URLSearchParams,
  host: string,
): (false | ConnectionOptions)[] {
  if (mode === 'disable') return [false];
  const own = clientCertificate(parameters);
  const unchecked = { ...own, rejectUnauthorized: false };
  if (mode === 'allow') return [false, unchecked];
  if (mode === 'prefer') return [unchecked, false];
  const authority = certificateAuthority(parameters);
  if (mode === 'require' && authority === undefined) return [unchecked];
  const checked = {
    ...own,
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: authority }),
  };
  return mode === 'verify-full'
    ? [{ ...checked, checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) }]
    : [{ ...checked, checkServerIdentity: () => undefined }];
}

/** Undefined believes those that Node believes. */
function certificateAuthority(parameters: URLSearchParams): string | undefined {
  const named = parameters.get('sslrootcert');
  if (named === 'system') return undefined;
  if (named !== null) return readFile('sslrootcert', named);
  const usual = join(homedir(), '.postgresql', 'root.crt');
  return existsSync(usual) ? readFile('sslrootcert', usual) : undefined;
}

function clientCertificate(parameters: URLSearchParams): ConnectionOptions {
  const [cert, key] = [parameters.get('sslcert'), parameters.get('sslkey')];
  const passphrase = parameters.get('sslpassword');
  return {
    ...(cert === null ? {} : { cert: readFile('sslcert', cert) }),
    ...(key === null ? {} : { key: readFile('sslkey', key) }),
    ...(passphrase === null ? {} : { passphrase }),
  };
}

function readFile(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new EngineError('invalid-configuration', `${what}: the file "${path}" cannot be read`);
  }
}
