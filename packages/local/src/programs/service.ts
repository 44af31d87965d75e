import { join } from 'node:path';
import { type Environment, environment, PROJECT_ROOT } from '#environment.ts';
import { freePort, LOOPBACK } from '#processes/ports.ts';
import { type Child, COMPILE_CACHE, startChild } from '#processes/processes.ts';
import { untilAnswers } from '#processes/wait.ts';

export type ServiceOptions = {
  engineUrl: string;
  adminSecret: string;
  /** A free port if not given. */
  port?: number;
  /** The providers' settings, and any other. */
  env: Environment;
  onLine?: (line: string) => void;
};

export type ServiceProcess = {
  url: string;
  child: Child;
  close(): Promise<void>;
};

/**
 * On a machine with much memory Node lets garbage lie, and the service would take twice of what it
 * needs. It lives on a tenth of this; the rest is for a full queue of the most unwieldy payloads. In so
 * little room V8 would look through all of it ten times a second, did it not let the heap double first.
 */
export const MEMORY_FLAGS = [
  '--max-semi-space-size=8',
  '--max-old-space-size=320',
  '--heap-growing-percent=100',
];
/** What one thread gives back all others may take: the memory of a request's body is given back by another. */
export const MEMORY_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };

/** What the service needs of the surroundings; its settings are given, not inherited. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

/** Starts the identity service and waits until it answers; it does not wait for the engine. */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const port = options.port ?? (await freePort());
  const child = await startChild({
    name: 'the identity service',
    command: process.execPath,
    args: [...MEMORY_FLAGS, join(PROJECT_ROOT, 'services', 'identity', 'src', 'http', 'server.ts')],
    cwd: PROJECT_ROOT,
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...MEMORY_ENVIRONMENT,
      ...Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
      HASURA_GRAPHQL_ENDPOINT: options.engineUrl,
      HASURA_GRAPHQL_ADMIN_SECRET: options.adminSecret,
      LATCHKEY_HOST: LOOPBACK,
      LATCHKEY_PORT: String(port),
      ...options.env,
    },
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  const url = `http://${LOOPBACK}:${port}`;
  try {
    await untilAnswers(`${url}/healthz`, child);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { url, child, close: () => child.stop() };
}
