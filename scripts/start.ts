import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { definitionOf, PROVIDERS } from '@latchkey/identity/providers/registry';
import { type Personas, readPersonas } from '@latchkey/local/personas';
import { isFree, preferPort } from '@latchkey/local/processes/ports';
import { untilStopped } from '@latchkey/local/processes/stopping';
import { type DeliveryAttempt, hasStandIn, type StandInName } from '@latchkey/local/stand-ins/start';
import { defineCommand, type Options } from './command.ts';
import { environment, PROJECT_ROOT } from './environment.ts';
import { welcome } from './stack/guide.ts';
import { startStack } from './stack/stack.ts';

/** Those that there is a stand-in for. */
const LOCAL = PROVIDERS.filter(({ name }) => hasStandIn(name));
const [DEFAULT = '', ...OTHERS] = LOCAL.map(({ name }) => name);
const FIRST_PORT = 4000;

const providerPorts: Options = Object.fromEntries(
  LOCAL.map(({ name, label }, index) => [
    `${name}-port`,
    { type: 'string', placeholder: 'port', help: `The local ${label} (default ${FIRST_PORT + index}).` },
  ]),
);

const options = {
  'engine-port': { type: 'string', placeholder: 'port', help: 'Hasura (default 8080, or a free one).' },
  'service-port': { type: 'string', placeholder: 'port', help: 'The identity service (default 8081).' },
  providers: {
    type: 'string',
    placeholder: 'name,…',
    completions: LOCAL.map(({ name }) => name),
    help: `${DEFAULT} (default), ${OTHERS.join(', ')}, or several side by side.`,
  },
  ...providerPorts,
  'postgres-port': { type: 'string', placeholder: 'port', help: 'PostgreSQL (default 5433).' },
  personas: {
    type: 'string',
    placeholder: 'file',
    help: 'Who has signed up when it starts (default personas.yaml, if there is one).',
  },
  data: { type: 'string', placeholder: 'folder', help: 'Where everything is kept (default .latchkey).' },
  verbose: { type: 'boolean', short: 'v', help: 'Show what the programs print.' },
} as const;

export const start = defineCommand({
  name: 'start',
  description: `
Runs everything on this machine until Ctrl-C: PostgreSQL, an engine, the identity service and local
providers whose tokens the engine trusts and whose webhooks reach the service. Data, keys and secrets
are kept in .latchkey/; remove that folder to begin anew.

Of one provider the engine verifies the tokens itself, by HASURA_GRAPHQL_JWT_SECRET; of several the
service does, by HASURA_GRAPHQL_AUTH_HOOK. LATCHKEY_PROVIDERS names them too.

LATCHKEY_ENGINE="<shell command>" runs another engine than the embedded one: the command must stay in
the foreground and heed the HASURA_GRAPHQL_* variables. LATCHKEY_DATABASE_URL names a PostgreSQL to use.
Ports can be set by LATCHKEY_ENGINE_PORT and the like too; a port that is set and taken is an error, 0
takes any free one.`,
  options,
  async run(values) {
    const began = performance.now();
    const stateDirectory = values.data === undefined ? join(PROJECT_ROOT, '.latchkey') : resolve(values.data);
    const providers = chooseProviders(values.providers ?? environment.LATCHKEY_PROVIDERS);
    const personas = await choosePersonas(values.personas);
    const stopping = untilStopped();
    const starting = startStack({
      stateDirectory,
      databaseUrl: environment.LATCHKEY_DATABASE_URL,
      engineCommand: environment.LATCHKEY_ENGINE,
      ports: {
        postgres: await choosePort('postgres', 5433, values),
        engine: await choosePort('engine', 8080, values),
        service: await choosePort('service', 8081, values),
        ...Object.fromEntries(
          await Promise.all(
            providers.map(async (name) => [
              name,
              await choosePort(name, FIRST_PORT + LOCAL.findIndex((one) => one.name === name), values),
            ]),
          ),
        ),
      },
      providers,
      personas,
      onAttempt: (attempt) => console.log(describeAttempt(attempt)),
      ...(values.verbose === true
        ? { onLine: (name: string, line: string) => console.log(`${name}: ${line}`) }
        : {}),
    });
    const stack = await starting;
    console.log(welcome(stack, (performance.now() - began) / 1000, relative(process.cwd(), stateDirectory)));
    if (personas !== undefined) {
      const emails = Object.values(personas.people).map(({ email }) => email);
      console.log(`Signed up already: ${emails.join(', ')}. A token of each is had as above.\n`);
    }

    const ended = await Promise.race([stopping, stack.failed]);
    if (ended === undefined) {
      console.log('\nStopping.');
      await stack.close();
      return 0;
    }
    console.error(`\nlatchkey start: ${ended}\nStopping the rest.`);
    await stack.close();
    return 1;
  },
});

async function choosePort(
  part: string,
  preferred: number,
  values: Readonly<Record<string, unknown>>,
): Promise<number> {
  const variable = `LATCHKEY_${part.toUpperCase()}_PORT`;
  const set = values[`${part}-port`] ?? environment[variable];
  if (set === undefined) return preferPort(preferred);
  const port = Number(set);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new LatchkeyError(
      'configuration-invalid',
      `--${part}-port (or ${variable}) must be a port from 0 to 65535, not ${set}.`,
    );
  }
  if (port === 0) return preferPort(0);
  if (await isFree(port)) return port;
  throw new LatchkeyError(
    'configuration-invalid',
    `Port ${port} is taken: give another one with --${part}-port (or ${variable}), or 0 for any free one.`,
  );
}

function chooseProviders(text: string | undefined): StandInName[] {
  const names = (text ?? DEFAULT).split(',').map((name) => name.trim());
  const unknown = names.find((name) => !hasStandIn(name));
  if (unknown === undefined)
    return LOCAL.flatMap(({ name }) => (names.includes(name) && hasStandIn(name) ? [name] : []));
  const definition = definitionOf(unknown);
  throw new LatchkeyError(
    'configuration-invalid',
    definition === undefined
      ? `--providers (or LATCHKEY_PROVIDERS) takes ${[DEFAULT, ...OTHERS].join(', ')} with commas between them, not ${unknown}.`
      : `There is no local stand-in for ${definition.label}: set up your own as ${definition.guide} says.`,
  );
}

/** Those of the file that is named, or else of the project's own, where it has one. */
async function choosePersonas(path: string | undefined): Promise<Personas | undefined> {
  if (path !== undefined) return readPersonas(path);
  const own = join(PROJECT_ROOT, 'personas.yaml');
  return existsSync(own) ? readPersonas(own) : undefined;
}

function describeAttempt({ type, number, status, delivered, willRetry }: DeliveryAttempt): string {
  const outcome = status === undefined ? 'no answer' : `answered ${status}`;
  const next = delivered ? '' : willRetry ? ', will be sent again' : ', given up';
  return `webhook ${type}${number > 1 ? ` (attempt ${number})` : ''}: ${outcome}${next}`;
}
