import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { THREE } from '../../support/three-providers.ts';
import {
  goodWebhook,
  type HostileRequest,
  hostileCasdoorWebhooks,
  hostileSignedWebhooks,
  type Scheme,
} from '../hostile-webhooks.ts';
import { eachOf, send } from '../send.ts';
import { refusedBy, type World } from '../world.ts';

/** The gate of the providers: `POST /webhooks/…`. */
export function webhookGate(world: () => World): void {
  describe('webhooks', () => {
    const refuse = (requests: readonly HostileRequest[]) =>
      world().unharmed(() =>
        eachOf(requests, ({ what, path, method, headers, body, status }) =>
          world().expectRefused(
            what,
            { url: `${world().stack.service.url}${path}`, method, headers, body },
            refusedBy(status),
          ),
        ),
      );
    const schemes = (): (Scheme & { secrets: string[] })[] => {
      const clerk = JSON.stringify({
        object: 'event',
        type: 'email.created',
        data: { id: 'ema_1' },
        timestamp: Date.now(),
      });
      const cognito = JSON.stringify({
        type: 'PostAuthentication',
        timestamp: new Date().toISOString(),
        data: { sub: world().people.cognito.id },
      });
      const { CLERK_WEBHOOK_SECRET = '' } = world().stack.clerk.serviceEnvironment;
      const { COGNITO_WEBHOOK_SECRET = '' } = world().stack.cognito.serviceEnvironment;
      return [
        {
          path: '/webhooks/clerk',
          prefix: 'svix',
          secret: CLERK_WEBHOOK_SECRET,
          secrets: [world().older.clerk, CLERK_WEBHOOK_SECRET],
          body: clerk,
        },
        {
          path: '/webhooks/cognito',
          prefix: 'webhook',
          secret: COGNITO_WEBHOOK_SECRET,
          secrets: [world().older.cognito, COGNITO_WEBHOOK_SECRET],
          body: cognito,
        },
      ];
    };

    test('good ones are accepted, by each of the secrets while one replaces another', async () => {
      for (const { secrets, ...scheme } of schemes()) {
        for (const secret of secrets) {
          const { path, headers, body } = goodWebhook(
            { ...scheme, secret },
            `msg_${randomBytes(6).toString('hex')}`,
          );
          expect(
            (await send({ url: `${world().stack.service.url}${path}`, headers, body })).status,
            path,
          ).toBe(200);
        }
      }
      for (const secret of [world().older.casdoor, world().stack.casdoor.webhookSecret]) {
        const { records } = world().stack.casdoor.intercept(() =>
          world().stack.casdoor.actions.signIn('acme/grace'),
        );
        for (const record of records) {
          const answer = await world().stack.casdoor.webhooks.post(record, { 'X-Webhook-Secret': secret });
          expect(answer.status).toBe(200);
        }
        expect(records.length).toBeGreaterThan(0);
      }
    });

    test.each([0, 1])('forged, altered, stale and misdirected ones are refused (%#)', async (at) => {
      const scheme = schemes()[at];
      if (scheme === undefined) throw new Error('There is no such scheme.');
      await refuse(hostileSignedWebhooks(scheme));
    });

    test('Casdoor’s without its secret are refused', async () => {
      const { records } = world().stack.casdoor.intercept(() =>
        world().stack.casdoor.actions.signIn('acme/cam'),
      );
      await refuse(
        hostileCasdoorWebhooks({
          path: '/webhooks/casdoor',
          header: 'x-webhook-secret',
          secret: world().stack.casdoor.webhookSecret,
          body: JSON.stringify(records[0]),
        }),
      );
    });

    test('those of one provider are nothing to another', async () => {
      await refuse(
        schemes().flatMap((scheme, index) =>
          THREE.filter((name) => scheme.path !== `/webhooks/${name}`).map((name) => ({
            ...goodWebhook({ ...scheme, path: `/webhooks/${name}` }, `msg_crossed_${index}`),
            what: `${scheme.path} at ${name}`,
            status: 401,
          })),
        ),
      );
    });
  });
}
