import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import { type LocalCasdoor, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { fixture as casdoorFixture } from '@latchkey/tests/support/casdoor';
import * as clerk from '@latchkey/tests/support/clerk';
import * as cognito from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { fixtureNames } from '@latchkey/tests/support/fixtures';
import type { LocalServer } from '@latchkey/tests/support/http';
import { createRandom, type Random } from '@latchkey/tests/support/random';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { createHasuraClient } from '#hasura/client.ts';
import type { Provider } from '#providers/provider.ts';
import { loadProviders } from '#providers/registry.ts';
import { type Answer, type Call, serveCognito } from '../support/cognito.ts';
import { mutate } from './mutate.ts';

const PAYLOADS = 400;
const AT_ONCE = 16;
/** In ids and nowhere else, so that whatever a payload left behind is found again. */
const MARK = 'fuzz';

let project: EmbeddedProject;
let casdoor: LocalCasdoor;
let pool: LocalServer;
let service: ServiceProcess;
let providers: ReadonlyMap<string, Provider>;
const log: string[] = [];
let hostile: Random;

beforeAll(async () => {
  hostile = createRandom('What Cognito says of people');
  project = await startEmbedded();
  casdoor = await startLocalCasdoor({ port: 0 });
  pool = await serveCognito(answerOfCognito);
  const env = {
    CLERK_WEBHOOK_SECRET: clerk.SECRET,
    ...casdoor.serviceEnvironment,
    COGNITO_USER_POOL_ID: cognito.POOL,
    COGNITO_CLIENT_IDS: cognito.CLIENT,
    COGNITO_WEBHOOK_SECRET: cognito.SECRET,
    COGNITO_ENDPOINT: pool.url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
  const { endpoint: engineUrl, adminSecret } = project.config;
  service = await startService({ engineUrl, adminSecret, env, onLine: (line) => void log.push(line) });
  await untilAnswers(`${service.url}/readyz`, service.child);
  const config = readConfig({ ...env, HASURA_GRAPHQL_ADMIN_SECRET: adminSecret });
  providers = await loadProviders(config.providers, createHasuraClient(project.config));
}, 120_000);
afterAll(async () => {
  await service?.close();
  await pool?.close();
  await casdoor?.close();
  await project?.close();
});

/** A pool whose people have odd attributes, and some of whom are gone. */
function answerOfCognito({ operation, input }: Call): Answer {
  const odd = (): string =>
    hostile.pick(['', 'Ada', 'half \uD800', 'nul \0', 'x'.repeat(3_000), '\u202E', '😀']);
  const person = (sub: string) => ({
    Username: sub,
    UserCreateDate: 1767225600.123,
    Attributes: ['email', 'name', 'given_name', 'picture', 'preferred_username']
      .map((Name) => ({ Name, Value: odd() }))
      .concat({ Name: 'sub', Value: sub }),
  });
  switch (operation) {
    case 'ListUsers': {
      const sub = /"(.*)"/.exec(String(input.Filter))?.[1];
      return { Users: sub === undefined || hostile.chance(0.2) ? [] : [person(sub)] };
    }
    case 'AdminListGroupsForUser':
      return {
        Groups: hostile.chance(0.5) ? [] : [{ GroupName: `group ${odd()}`, CreationDate: 1767225600 }],
      };
    case 'GetGroup':
      return hostile.chance(0.5)
        ? { error: 'ResourceNotFoundException' }
        : { Group: { GroupName: String(input.GroupName), CreationDate: 1767225600 } };
    default:
      return { error: 'UserNotFoundException' };
  }
}

interface Sample {
  /** Tells the rows that come of this payload from all others. */
  readonly mark: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

const clerkEvents = fixtureNames('clerk')
  .filter((name) => /^(user|organization|organizationMembership|session)\.\w+\.json$/.test(name))
  .map(clerk.fixture);

function clerkSample(random: Random, index: number): Sample {
  const mark = `${MARK}${index}x`;
  // Each id is of this payload alone, the kinds still apart.
  const recorded = random.pick(clerkEvents).replaceAll(/"(user|org|sess|orgmem)_\w+"/g, `"$1_${mark}"`);
  const body = mutate(JSON.parse(recorded), random);
  return { mark, body, headers: clerk.signed(body, { id: `msg_${mark}` }) };
}

const casdoorEvents = fixtureNames('casdoor')
  .filter((name) => name.startsWith('webhook.') && name !== 'webhook.config.json')
  .map(casdoorFixture);

function casdoorSample(random: Random, index: number): Sample {
  const mark = `${MARK}${index}x`;
  const recorded: unknown = JSON.parse(random.pick(casdoorEvents));
  const body = mutate(Object.assign({}, recorded, { name: mark }), random);
  const { CASDOOR_WEBHOOK_HEADER: header = '', CASDOOR_WEBHOOK_SECRET: secret = '' } =
    casdoor.serviceEnvironment;
  return { mark, body, headers: { 'content-type': 'application/json', [header.toLowerCase()]: secret } };
}

function cognitoSample(random: Random, index: number): Sample {
  const mark = `${MARK}${index}x`;
  const timestamp = new Date().toISOString();
  const { POOL: userPoolId } = cognito;
  const hints = [
    { type: 'PostConfirmation_ConfirmSignUp', timestamp, data: { userPoolId, sub: mark, userName: mark } },
    { type: 'PostAuthentication_Authentication', timestamp, data: { userPoolId, sub: mark } },
    { type: 'AdminAddUserToGroup', timestamp, data: { userPoolId, sub: mark, groupName: mark } },
    { type: 'AdminDeleteUser', timestamp, data: { userPoolId, sub: mark } },
    { type: 'DeleteGroup', timestamp, data: { userPoolId, groupName: mark } },
  ];
  const body = mutate(random.pick(hints), random);
  return { mark, body, headers: cognito.signed(body, { id: `evt_${mark}` }) };
}

describe.each([
  ['clerk', clerkSample],
  ['casdoor', casdoorSample],
  ['cognito', cognitoSample],
] as const)('hostile payloads, really signed, from %s', (name, sampleOf) => {
  test('are never a 5xx, and each is in the ledger, applied as a whole or not at all', async () => {
    const random = createRandom(`Hostile payloads from ${name}`);
    const samples = Array.from({ length: PAYLOADS }, (_, index) => sampleOf(random, index));
    const answers: { status: number; sample: Sample }[] = [];
    const rest = [...samples];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let sample = rest.pop(); sample !== undefined; sample = rest.pop()) {
          const { headers, body } = sample;
          const response = await fetch(`${service.url}/webhooks/${name}`, { method: 'POST', headers, body });
          await response.arrayBuffer();
          answers.push({ status: response.status, sample });
        }
      }),
    );

    const odd = answers.filter(({ status }) => status !== 200 && status !== 400);
    expect(odd.map(({ status, sample }) => `${status}: ${sample.body.slice(0, 500)}`)).toEqual([]);
    expect(service.child.hasExited(), service.child.tail()).toBe(false);
    expect(log.filter((line) => /"level":[56]0|unhandled/i.test(line))).toEqual([]);

    const ledger = await statusesOf(name);
    const left = await marksLeft(name);
    for (const { status, sample } of answers) {
      const found = ledger.get(idOf(name, sample));
      expect(found, `not in the ledger: ${sample.body.slice(0, 500)}`).toBeDefined();
      expect(found === 'dead', `answered ${status} and ${found}: ${sample.body.slice(0, 500)}`).toBe(
        status === 400,
      );
      if (found !== 'applied')
        expect(left, `left by a ${found} one: ${sample.body.slice(0, 500)}`).not.toContain(sample.mark);
    }
    // All kinds of ends were met, or the payloads were not as hostile as they are meant to be.
    expect(new Set(ledger.values())).toEqual(new Set(['applied', 'ignored', 'dead']));
  }, 120_000);
});

function idOf(name: string, { headers, body }: Sample): string {
  const provider = providers.get(name);
  if (provider?.webhooks === undefined) throw new Error(`${name} is not set up.`);
  return provider.webhooks.verify({ headers, body: Buffer.from(body), receivedAt: Date.now() }).id;
}

async function statusesOf(name: string): Promise<Map<string, string>> {
  const rows = await project.database.query(
    'select id, status from identity.deliveries where provider = $1',
    [name],
  );
  return new Map(rows.map(({ id, status }) => [String(id), String(status)]));
}

async function marksLeft(name: string): Promise<Set<string>> {
  const rows = await project.database.query(
    `select id from users where provider = $1 union all select id from organizations where provider = $1
     union all select organization_id || user_id from organization_memberships where provider = $1`,
    [name],
  );
  return new Set(rows.flatMap(({ id }) => String(id).match(new RegExp(`${MARK}\\d+x`, 'g')) ?? []));
}
