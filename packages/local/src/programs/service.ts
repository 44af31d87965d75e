import { join } from 'node:path';
import { type Environment, environment, PROJECT_ROOT } from '#environment.ts';
import { freePort, LOOPBACK } from '#processes/ports.ts';
import { type Child, COMPILE_CACHE, PATH_TO_NODE, startChild } from '#processes/processes.ts';
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

/** The program: a script with the settings of Node that the service is measured with. */
const SERVICE = join(PROJECT_ROOT, 'services', 'identity', 'start');

/** What the service needs of the surroundings; its settings are given, not inherited. */
const INHERITED = ['HOME', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

/** Starts the identity service and waits until it answers; it does not wait for the engine. */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const port = options.port ?? (await freePort());
  const child = await startChild({
    name: 'the identity service',
    command: SERVICE,
    cwd: PROJECT_ROOT,
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
      PATH: PATH_TO_NODE,
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
