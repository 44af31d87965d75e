/** What `sslmode` and several hosts come to, before a server that speaks TLS with a certificate of its own making. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '#base/log.ts';
import { describeFailure } from '#storage/attempting-pool.ts';
import { connectionAttempts } from '#storage/connection-attempts.ts';
import { createPool } from '#storage/sources.ts';

/** Of `db.example`, signed by itself, for these tests alone. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsy8v8PrHngHUXhBp
aPGClekBFP+pnalMMlb5EN2XB3WhRANCAATJmfuy5aBAAEldptsFR2UFJljv5maP
A6rR41sVEP8gtdIp5Qgz5msJyI/dVCv1sfZPGS8S46t5JVR/I/RE91vH
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT6gAwIBAgIUVx7FYDZi7W/nBDnHayknDO8pEeUwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKZGIuZXhhbXBsZTAgFw0yNjExMzAxOTMzMjVaGA8yMTI2MTEw
NjE5MzMyNVowFTETMBEGA1UEAwwKZGIuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABMmZ+7LloEAASV2m2wVHZQUmWO/mZo8DqtHjWxUQ/yC10inlCDPm
awnIj91UK/Wx9k8ZLxLjq3klVH8j9ET3W8ejajBoMB0GA1UdDgQWBBSjOQckOtRD
7TFUcpCgYEUPwOljhTAfBgNVHSMEGDAWgBSjOQckOtRD7TFUcpCgYEUPwOljhTAP
BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCmRiLmV4YW1wbGUwCgYIKoZIzj0E
AwIDSQAwRgIhAJKpu1zQnQMl6f4uic63XZKzU3P2tAWizYuJ1DZB7VuuAiEA/ESk
m0rDtaPP43HVwRXzFJCDgNlq0zm7R7v1V2ujTTo=
-----END CERTIFICATE-----`;
const SSL_REQUEST = 80_877_103;

let database: TestDatabase;
let folder: string;
let port: number;
let server: Server;
/** How clients came in, in turn. */
let came: ('tls' | 'plain')[] = [];
/** Which of them the server takes. */
let takes: ('tls' | 'plain')[] = ['tls', 'plain'];

/** Stands before PostgreSQL and speaks TLS for it. */
function handle(socket: Socket): void {
  const { hostname, port: behind } = new URL(database.url);
  const pass = (from: Socket, first: Buffer | undefined) => {
    const target = connect(Number(behind), hostname);
    if (first !== undefined) target.write(first);
    from.pipe(target).pipe(from);
    for (const one of [from, target])
      one.on('error', () => {}).on('close', () => (one === from ? target : from).destroy());
  };
  socket.on('error', () => {});
  socket.once('data', (first) => {
    const wantsTls = first.length === 8 && first.readInt32BE(4) === SSL_REQUEST;
    if (!wantsTls) {
      came.push('plain');
      if (takes.includes('plain')) pass(socket, first);
      else socket.end(refusal());
      return;
    }
    came.push('tls');
    if (!takes.includes('tls')) {
      socket.once('data', () => socket.end(refusal()));
      socket.write('N');
      return;
    }
    socket.write('S');
    pass(new TLSSocket(socket, { isServer: true, key: KEY, cert: CERTIFICATE }), undefined);
  });
}

/** What `pg_hba.conf` says to whom it does not let in. */
function refusal(): Buffer {
  const fields = 'SFATAL\0C28000\0Mno pg_hba.conf entry for this\0\0';
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, Buffer.from(fields)]);
}

beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'latchkey-tls-'));
  await writeFile(join(folder, 'root.crt'), CERTIFICATE);
  server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
  await database.close();
});
afterEach(() => {
  came = [];
  takes = ['tls', 'plain'];
});

/** The test database's URL, at other hosts. */
function url(hosts: string, query: string): string {
  const { username, password, pathname } = new URL(database.url);
  const login = password === '' ? username : `${username}:${password}`;
  return `postgres://${login}@${hosts}${pathname}${query}`;
}

/** Asks twice at once; `ok`, or why not in one line. */
async function ask(hosts: string, query: string): Promise<string> {
  const pool = createPool(url(hosts, query), 2, silentLogger);
  try {
    const rows = await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')]);
    return rows.length === 2 ? 'ok' : 'unreachable';
  } catch (error) {
    return describeFailure(error);
  } finally {
    await pool.end();
  }
}

describe('sslmode', () => {
  const here = () => `127.0.0.1:${port}`;

  test.each([
    ['', 'tls'],
    ['?sslmode=disable', 'plain'],
    ['?sslmode=allow', 'plain'],
    ['?sslmode=prefer', 'tls'],
    ['?sslmode=require', 'tls'],
  ])('%s does not look at the certificate', async (query, how) => {
    expect(await ask(here(), query)).toBe('ok');
    expect(new Set(came)).toEqual(new Set([how]));
  });

  test('prefer goes on without encryption, and allow with it', async () => {
    takes = ['plain'];
    expect(await ask(here(), '?sslmode=prefer')).toBe('ok');
    expect(came[0]).toBe('tls');
    takes = ['tls'];
    expect(await ask(here(), '?sslmode=allow')).toBe('ok');
    expect(await ask(here(), '?sslmode=disable')).toBe('no pg_hba.conf entry for this');
  });

  test('require does not go on without it', async () => {
    takes = ['plain'];
    expect(await ask(here(), '?sslmode=require')).toMatch(/^The server does not support SSL connections$/);
    expect(came).not.toContain('plain');
  });

  test('verify-ca wants a certificate that is known, verify-full one of this host', async () => {
    const root = `&sslrootcert=${encodeURIComponent(join(folder, 'root.crt'))}`;
    expect(await ask(here(), `?sslmode=verify-ca${root}`)).toBe('ok');
    expect(await ask(here(), `?sslmode=require${root}`)).toBe('ok');
    expect(await ask(here(), '?sslmode=verify-ca&sslrootcert=system')).toMatch(/self-signed certificate/);
    expect(await ask(here(), `?sslmode=verify-full${root}`)).toMatch(/^Hostname\/IP does not match .*$/);
    expect(came).not.toContain('plain');
  });
});

describe('several hosts', () => {
  test('are tried in turn', async () => {
    expect(await ask(`127.0.0.1:1,127.0.0.1:${port}`, '?sslmode=disable')).toBe('ok');
    expect(await ask(`localhost:1,127.0.0.1:1`, '')).toMatch(/ECONNREFUSED/);
  });

  test('but not with a user that one of them refuses', async () => {
    takes = [];
    expect(await ask(`127.0.0.1:${port},127.0.0.1:${port}`, '?sslmode=disable')).toMatch(/pg_hba/);
    expect(await ask(`127.0.0.1:${port},127.0.0.1:1`, '?sslmode=disable')).toMatch(/pg_hba/);
  });
});

describe('a connection string', () => {
  test('is left as it is, but for hosts and encryption', () => {
    expect(connectionAttempts('postgres://u:p%40@a:1,[::1]:2/d?sslmode=disable&application_name=x')).toEqual([
      { url: 'postgres://u:p%40@a:1/d?application_name=x', ssl: false },
      { url: 'postgres://u:p%40@[::1]:2/d?application_name=x', ssl: false },
    ]);
    expect(connectionAttempts('postgres:///d?host=/tmp')).toEqual([
      { url: 'postgres:///d?host=%2Ftmp', ssl: false },
    ]);
  });

  test('says what is wrong with it', () => {
    expect(() => connectionAttempts('postgres://h/d?sslmode=no')).toThrow(
      'sslmode "no" is not one of disable, allow, prefer, require, verify-ca, verify-full',
    );
    expect(() => connectionAttempts('postgres://h/d?sslmode=verify-ca&sslrootcert=/none')).toThrow(
      'sslrootcert: the file "/none" cannot be read',
    );
  });
});
