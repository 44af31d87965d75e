import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test } from 'vitest';
import { PROJECT_ROOT } from '#environment.ts';
import { parsePersonas, readPersonas } from '#personas/index.ts';
import { startLocalProviders } from '#stand-ins/start.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const EXAMPLE = join(PROJECT_ROOT, 'examples', 'personas', 'personas.yaml');

test('the example is right', async () => {
  const { people, organizations, memberships } = await readPersonas(EXAMPLE);
  expect(Object.keys(people)).toEqual(['grete', 'emil', 'olga']);
  expect(people.grete).toMatchObject({ roles: ['editor'], metadata: { plan: 'pro' }, verified: true });
  expect(organizations.lemma).toEqual({ name: 'Lemma & Co' });
  expect(memberships).toHaveLength(4);
});

test.each([
  ['people:\n  ada:\n    email: nonsense\n', 'p.yaml:3: people.ada.email must be an e-mail address'],
  ['people:\n  ada: {}\n', 'p.yaml:2: people.ada.email is missing: it must be an e-mail address'],
  ['people:\n  Ada: { email: a@b.c }\n', 'p.yaml:2: people.Ada is a name of small letters'],
  ['people:\n  ada:\n    email: a@b.c\n    emial: x\n', 'p.yaml:4: people.ada.emial is no field: remove it'],
  [
    'people:\n  ada: { email: a@b.c }\n  ben: { email: A@b.c }\n',
    'p.yaml:3: people.ben.email is that of ada too: give each person',
  ],
  [
    'people:\n  ada: { email: a@b.c }\nmemberships:\n  - person: ada\n    organization: acme\n',
    'p.yaml:5: memberships.0.organization names acme, which is not in the file',
  ],
  ['people: [\n', 'p.yaml:2: '],
  ['', 'p.yaml:1: people is missing'],
])('of %j it is said where and what is wrong', (file, message) => {
  expect(() => parsePersonas(file, 'p.yaml')).toThrow(message);
});

test('a file that is not there is named', async () => {
  await expect(readPersonas('nowhere.yaml')).rejects.toThrow('nowhere.yaml cannot be read (ENOENT)');
});

test('all stand-ins begin with them, tell of them once they know where, and do not add them again', async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'latchkey-personas-'));
  closers.push(() => rm(stateDirectory, { recursive: true, force: true }));
  const received: string[] = [];
  const receiver = await serve(async (request, response) => {
    const event = JSON.parse(await text(request));
    received.push(event.type ?? event.action);
    response.writeHead(204).end();
  });
  closers.push(() => receiver.close());
  const personas = await readPersonas(EXAMPLE);
  const start = async () => {
    const providers = await startLocalProviders(['clerk', 'casdoor', 'cognito'], {
      stateDirectory,
      personas,
      onStarted: (provider) => closers.push(() => provider.close()),
    });
    for (const provider of Object.values(providers)) provider.deliverTo(receiver.url);
    const { clerk, casdoor, cognito } = providers;
    await Promise.all([clerk?.webhooks.idle(), casdoor?.webhooks.idle(), cognito?.settled()]);
    return providers;
  };

  const { clerk, casdoor, cognito } = await start();
  const state = clerk?.directory.state();
  expect(state?.users.map((user) => [user.first_name, user.public_metadata])).toEqual([
    ['Grete', { plan: 'pro' }],
    ['Emil', {}],
    ['Olga', {}],
  ]);
  expect(state?.memberships.map((one) => [one.organization.slug, one.role])).toEqual([
    ['lemma', 'org:admin'],
    ['lemma', 'org:member'],
    ['torus', 'org:admin'],
    ['torus', 'org:member'],
  ]);
  expect(casdoor?.directory.findUser('acme/emil')).toMatchObject({
    email: 'emil@example.com',
    displayName: 'Emil Artin',
    groups: ['acme/lemma', 'acme/torus'],
  });
  expect(casdoor?.directory.state().roles).toMatchObject([{ name: 'editor', users: ['acme/grete'] }]);
  const token = await (await fetch(`${cognito?.url}/token?user=grete@example.com`)).text();
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  expect(payload).toMatchObject({
    email: 'grete@example.com',
    'cognito:groups': expect.toSatisfy((groups: string[]) => groups.toSorted().join() === 'editor,lemma'),
  });
  expect(received.filter((type) => type === 'user.created')).toHaveLength(3);
  expect(received.filter((type) => type === 'add-user')).toHaveLength(3);
  expect(received.filter((type) => type === 'AdminCreateUser')).toHaveLength(3);

  for (const close of closers.splice(2).reverse()) await close();
  received.length = 0;
  const again = await start();
  expect(again.clerk?.directory.state().users).toEqual(state?.users);
  expect(again.casdoor?.directory.state().users).toHaveLength(4);
  expect(received).toEqual([]);
}, 60_000);
