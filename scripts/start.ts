import { join, relative, resolve } from 'node:path';
import { LatchkeyError } from '../services/identity/core/errors.ts';
import { defineCommand, type Values } from './command.ts';
import { environment, PROJECT_ROOT } from './environment.ts';
import type { Attempt } from './local/clerk/webhooks.ts';
import { isFree, preferPort } from './stack/ports.ts';
import { type Stack, startStack } from './stack/stack.ts';
import { untilStopped } from './stack/stopping.ts';

const options = {
  'engine-port': { type: 'string', placeholder: 'port', help: 'Hasura (default 8080, or a free one).' },
  'service-port': { type: 'string', placeholder: 'port', help: 'The identity service (default 8081).' },
  'clerk-port': { type: 'string', placeholder: 'port', help: 'The local Clerk (default 4000).' },
  'postgres-port': { type: 'string', placeholder: 'port', help: 'PostgreSQL (default 5433).' },
  data: { type: 'string', placeholder: 'folder', help: 'Where everything is kept (default .latchkey).' },
  verbose: { type: 'boolean', short: 'v', help: 'Show what the programs print.' },
} as const;

export const start = defineCommand({
  name: 'start',
  description: `
Runs everything on this machine until Ctrl-C: PostgreSQL, an engine, the identity service and a local
Clerk whose tokens the engine trusts and whose signed webhooks reach the service. Data, keys and
secrets are kept in .latchkey/; remove that folder to begin anew.

LATCHKEY_ENGINE="<shell command>" runs another engine than the embedded one: the command must stay in
the foreground and heed the HASURA_GRAPHQL_* variables. LATCHKEY_DATABASE_URL names a PostgreSQL to use.
Ports can be set by LATCHKEY_ENGINE_PORT, LATCHKEY_SERVICE_PORT, LATCHKEY_CLERK_PORT and
LATCHKEY_POSTGRES_PORT too; a port that is set and taken is an error, 0 takes any free one.`,
  options,
  async run(values) {
    const began = performance.now();
    const stateDirectory = values.data === undefined ? join(PROJECT_ROOT, '.latchkey') : resolve(values.data);
    const stopping = untilStopped();
    const starting = startStack({
      stateDirectory,
      databaseUrl: environment.LATCHKEY_DATABASE_URL,
      engineCommand: environment.LATCHKEY_ENGINE,
      ports: {
        postgres: await choosePort('postgres', 5433, values),
        engine: await choosePort('engine', 8080, values),
        service: await choosePort('service', 8081, values),
        clerk: await choosePort('clerk', 4000, values),
      },
      onAttempt: (attempt) => console.log(describeAttempt(attempt)),
      ...(values.verbose === true
        ? { onLine: (name: string, line: string) => console.log(`${name}: ${line}`) }
        : {}),
    });
    const stack = await starting;
    console.log(welcome(stack, (performance.now() - began) / 1000, relative(process.cwd(), stateDirectory)));

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

type Part = 'postgres' | 'engine' | 'service' | 'clerk';

async function choosePort(part: Part, preferred: number, values: Values<typeof options>): Promise<number> {
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

function welcome(
  { engine, service, clerk, postgres }: Stack,
  seconds: number,
  stateDirectory: string,
): string {
  const rows = [
    ['Hasura', engine.url, engine.description],
    ['Identity service', service.url, 'webhooks at /webhooks/clerk'],
    ['Local Clerk', clerk.url, 'keys, tokens, users, Backend API'],
    ...(postgres === undefined
      ? [['PostgreSQL', 'as LATCHKEY_DATABASE_URL says', '']]
      : [
          [
            'PostgreSQL',
            `127.0.0.1:${postgres.port}`,
            `${postgres.version}, data kept in ${stateDirectory}/`,
          ],
        ]),
  ].map(([name = '', where = '', what = '']) => `  ${name.padEnd(18)}${where.padEnd(24)}${what}`.trimEnd());

  return `
Latchkey is running, ready after ${seconds.toFixed(1)} s.

${rows.join('\n')}
${(postgres?.notes ?? []).map((note) => `\n  ${note}\n`).join('')}
Paste these, one after the other:

  1. Sign up a user; Clerk tells the service of them by a signed webhook.

     curl -s ${clerk.url}/sign-up -d email=ada@example.com -d first_name=Ada

  2. Get their token, good for an hour.

     TOKEN=$(curl -s '${clerk.url}/token?user=ada@example.com&lifetime=3600')

  3. Ask Hasura with it: of all users, they see themselves.

     curl -s ${engine.url}/v1/graphql -H "Authorization: Bearer $TOKEN" -d '{"query":"{ users { id email name } }"}'

The admin secret is in ${stateDirectory}/admin-secret. Ctrl-C ends everything.
`;
}

function describeAttempt({ message, number, status, delivered, willRetry }: Attempt): string {
  const outcome = status === undefined ? 'no answer' : `answered ${status}`;
  const next = delivered ? '' : willRetry ? ', will be sent again' : ', given up';
  return `webhook ${message.type}${number > 1 ? ` (attempt ${number})` : ''}: ${outcome}${next}`;
}
