import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { THREE } from '../../support/three-providers.ts';
import { type Sent, send } from '../send.ts';
import {
  askEngine,
  bearer,
  engineAnswer,
  JSON_TYPE,
  refusedBy,
  refusedByEngine,
  type World,
} from '../world.ts';

/** The gates of operators and of Hasura: the admin secret, and the secret of actions and jobs. */
export function secretGate(world: () => World): void {
  describe('secrets', () => {
    const guesses = (secret: string): string[] => [
      '',
      ' ',
      'admin',
      'secret',
      'null',
      'undefined',
      'true',
      '*',
      '[]',
      '{}',
      secret.slice(0, -1),
      secret.slice(1),
      `${secret}x`,
      `${secret},`,
      `"${secret}"`,
      secret.toUpperCase(),
      secret.toLowerCase(),
      `${secret}${secret}`,
      `Bearer ${secret}`,
      Buffer.from(secret).toString('base64'),
      encodeURIComponent(`${secret} `),
      // A third one, made as the right ones are.
      randomBytes(24).toString('base64url'),
    ];

    test('the admin secret lets in, and no guess of it does, with a good token or without', async () => {
      const secret = ['x-hasura-admin-secret', world().stack.adminSecret] as const;
      const token = bearer(await world().people.clerk.token());
      for (const url of world().engines()) {
        const { body } = await send(askEngine(url, [secret]));
        expect(engineAnswer.parse(JSON.parse(body)).data).toHaveProperty('users');
      }
      await world().unharmed(async () => {
        for (const guess of guesses(world().stack.adminSecret)) {
          for (const url of world().engines()) {
            for (const headers of [
              [['x-hasura-admin-secret', guess]],
              [['X-Hasura-Access-Key', guess]],
              [['x-hasura-admin-secret', guess], token],
            ] as const) {
              await world().expectRefused(
                `admin secret “${guess}”`,
                askEngine(url, headers),
                refusedByEngine,
              );
            }
          }
        }
      });
    });

    test('the admin secret is none of the service’s: neither its hook nor its webhooks take it', async () => {
      const secret = { 'x-hasura-admin-secret': world().stack.adminSecret, 'x-hasura-role': 'admin' };
      await world().unharmed(async () => {
        await world().expectRefused('the hook', world().askHook(secret), refusedBy(401));
        for (const name of THREE) {
          const headers = [JSON_TYPE, ...Object.entries(secret)];
          await world().expectRefused(
            name,
            { url: `${world().stack.service.url}/webhooks/${name}`, headers, body: '{}' },
            refusedBy(401),
          );
        }
      });
    });

    test('the secrets of actions and jobs let in, each of them, and no guess of one does', async () => {
      const targets = [
        ['/jobs/retention', ''],
        ['/jobs/erasure', ''],
        ['/jobs/reconcile', ''],
        ['/actions', 'syncMe'],
        ['/actions', 'deleteMyAccount'],
      ] as const;
      const call = (path: string, headers: Sent['headers'], name = ''): Sent => ({
        url: `${world().stack.service.url}${path}`,
        headers: [JSON_TYPE, ...headers],
        body: JSON.stringify({
          action: { name },
          input: {},
          session_variables: {
            'x-hasura-role': 'user',
            'x-hasura-user-id': world().people.clerk.id,
            'x-hasura-identity-provider': 'clerk',
          },
          payload: { provider: 'clerk' },
        }),
      });
      // Either, as while one replaces the other.
      for (const secret of [world().stack.actionSecret, world().older.action]) {
        const right = ['x-latchkey-secret', secret] as const;
        expect((await send(call('/jobs/retention', [right]))).status).toBe(200);
        const { status, body } = await send(call('/actions', [right], 'syncMe'));
        expect({ status, body: JSON.parse(body) }).toEqual({
          status: 200,
          body: { id: world().people.clerk.id },
        });
      }
      await world().unharmed(async () => {
        for (const [path, name] of targets) {
          const what = `${path} ${name}`;
          await world().expectRefused(what, call(path, [], name), refusedBy(401));
          const admin = call(path, [['x-hasura-admin-secret', world().stack.adminSecret]], name);
          await world().expectRefused(`${what}, as admin`, admin, refusedBy(401));
          for (const guess of guesses(world().stack.actionSecret)) {
            const guessed = call(path, [['x-latchkey-secret', guess]], name);
            await world().expectRefused(`${what}: ${guess}`, guessed, refusedBy(401));
          }
        }
      });
    });
  });
}
