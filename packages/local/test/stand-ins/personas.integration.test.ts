import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test } from 'vitest';
import { PROJECT_ROOT } from '#environment.ts';
import { readPersonas } from '#personas/index.ts';
import { startLocalProviders } from '#stand-ins/start.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const EXAMPLE = join(PROJECT_ROOT, 'examples', 'personas', 'personas.yaml');

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
