import { join } from 'node:path';
import { hookSettings } from '@latchkey/core/engine-settings';
import { LatchkeyError } from '@latchkey/core/errors';
import type { JwtSecret } from '@latchkey/core/jwt-secret';
import { z } from 'zod';
import { type Environment, environment, PROJECT_ROOT } from '#environment.ts';
import { freePort, LOOPBACK } from '#processes/ports.ts';
import { type Child, PATH_TO_NODE, startChild } from '#processes/processes.ts';
import { untilAnswers } from '#processes/wait.ts';

export type EngineOptions = {
  databaseUrl: string;
  adminSecret: string;
  /** Whose tokens it accepts; nobody's without it. */
  jwtSecret?: JwtSecret;
  /** Ask the identity service who a client is, in place of a `jwtSecret`. */
  authHook?: boolean;
  /** A free port if not given. */
  port?: number;
  /**
   * A shell command that runs another engine in the foreground, told everything by the
   * HASURA_GRAPHQL_* variables; the embedded engine without it.
   */
  command?: string | undefined;
  /** Where it finds the identity service, for actions and cron triggers; nowhere if not given. */
  service?: ServiceLink;
  /** Further settings, or other values for those above. */
  env?: Environment;
  onLine?: (line: string) => void;
};

/** How an engine finds the identity service, and the secret with which it shows that it is the engine. */
export type ServiceLink = { url: string; actionSecret: string };

/** The program: a script with the settings of Node that the engine is measured with. */
const EMBEDDED = join(PROJECT_ROOT, 'packages', 'engine', 'start');

/** Nobody listens there. The metadata need an address all the same. */
const NOWHERE: ServiceLink = { url: `http://${LOOPBACK}:9`, actionSecret: 'nobody-asks-for-this' };

/** The variables of metadata/actions.yaml and metadata/cron_triggers.yaml; the service has the same. */
export function linkEnvironment({ url, actionSecret }: ServiceLink): Record<string, string> {
  return { LATCHKEY_SERVICE_URL: url, LATCHKEY_ACTION_SECRET: actionSecret };
}

export type EngineProcess = {
  url: string;
  adminSecret: string;
  /** What runs: "embedded engine" or the command, and the version it names itself. */
  description: string;
  child: Child;
  close(): Promise<void>;
};

const versionSchema = z.object({ version: z.string() });

/**
 * Starts an engine and waits until it answers.
 *
 * The provider's key set must answer before: a Hasura does not start without it.
 */
export async function startEngine(options: EngineOptions): Promise<EngineProcess> {
  const { databaseUrl, adminSecret, jwtSecret, command, service = NOWHERE } = options;
  const port = options.port ?? (await freePort());
  const child = await startChild({
    name: 'the engine',
    ...(command === undefined ? { command: EMBEDDED } : { command: '/bin/sh', args: ['-c', command] }),
    cwd: PROJECT_ROOT,
    env: {
      ...withoutHasura(environment),
      ...(command === undefined && { PATH: PATH_TO_NODE }),
      HASURA_GRAPHQL_DATABASE_URL: databaseUrl,
      HASURA_GRAPHQL_METADATA_DATABASE_URL: databaseUrl,
      HASURA_GRAPHQL_SERVER_HOST: LOOPBACK,
      HASURA_GRAPHQL_SERVER_PORT: String(port),
      HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
      ...(jwtSecret === undefined ? {} : { HASURA_GRAPHQL_JWT_SECRET: JSON.stringify(jwtSecret) }),
      HASURA_GRAPHQL_ENABLE_TELEMETRY: 'false',
      ...(options.authHook === true ? hookSettings(service.url) : {}),
      ...linkEnvironment(service),
      ...options.env,
    },
    // Hasura itself takes some eleven seconds to end.
    graceMs: 30_000,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  const url = `http://${LOOPBACK}:${port}`;
  try {
    await untilAnswers(`${url}/healthz`, child, 120_000);
    const { version } = versionSchema.parse(await (await fetch(`${url}/v1/version`)).json());
    const description = `${command === undefined ? 'embedded engine' : command}, ${version}`;
    return { url, adminSecret, description, child, close: () => child.stop() };
  } catch (error) {
    await child.stop();
    const { code } = child.hasExited() ? await child.exited : { code: null };
    if (command !== undefined && code !== null && NO_SUCH_COMMAND.has(code)) {
      throw new LatchkeyError(
        'configuration-invalid',
        `LATCHKEY_ENGINE names no program that can be run (${child.tail()}): correct it, or unset it for the embedded engine.`,
      );
    }
    throw error;
  }
}

/** What a shell ends with where it cannot find or cannot run what it is told to. */
const NO_SUCH_COMMAND = new Set([126, 127]);

/** Settings meant for another engine, such as those of a sourced .env, are not this one's. */
function withoutHasura(given: Environment): Environment {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith('HASURA_GRAPHQL_')));
}
