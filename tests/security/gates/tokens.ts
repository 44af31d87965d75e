import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { type OneOfThree, THREE } from '../../support/three-providers.ts';
import { type HostileToken, hostileTokens } from '../hostile-tokens.ts';
import { eachOf, send } from '../send.ts';
import { askEngine, bearer, refusedBy, refusedByEngine, type World } from '../world.ts';

/** The gate of the clients: tokens, at both engines and at the auth hook. */
export function tokenGate(world: () => World): void {
  describe.each(THREE)('tokens of %s', (name) => {
    const next: Record<OneOfThree, OneOfThree> = {
      clerk: 'casdoor',
      casdoor: 'cognito',
      cognito: 'clerk',
    };

    test('a good one is accepted by the engine that asks the service, and shows its bearer their own row', async () => {
      const { id, email, token } = world().people[name];
      const { body } = await send(askEngine(world().stack.engine.url, [bearer(await token())]));
      expect(JSON.parse(body)).toEqual({ data: { users: [{ id, email }] } });
      const again = await world().people[name].signed({});
      expect(
        JSON.parse((await send(world().askHook({ authorization: `Bearer ${again}` }))).body),
      ).toMatchObject({
        'x-hasura-user-id': id,
        'x-hasura-role': 'user',
      });
      if (name === 'clerk') {
        const direct = await send(askEngine(world().jwtEngine.url, [bearer(await token())]));
        expect(JSON.parse(direct.body)).toEqual({ data: { users: [] } });
      }
    });

    test('forged, altered, borrowed and stale ones are refused by engines and service alike', async () => {
      const foreignIssuer = String(decodeJwt(await world().people[next[name]].token()).iss);
      const tokens = [
        ...(await hostileTokens(
          world().people[name],
          world().others[name],
          world().publicJwks[name],
          world().attacker.url,
          foreignIssuer,
        )),
        {
          what: `${name}: signed by it, in the name of another provider’s user`,
          token: await world().people[name].signed({
            iss: foreignIssuer,
            sub: world().people[next[name]].id,
          }),
        },
      ];
      const everywhere = async ({ what, token, onlyByHook = false }: HostileToken) => {
        for (const url of onlyByHook && name === 'clerk' ? [world().stack.engine.url] : world().engines()) {
          await world().expectRefused(`${what} at ${url}`, askEngine(url, [bearer(token)]), refusedByEngine);
        }
        await world().expectRefused(
          `${what} at the hook`,
          world().askHook({ Authorization: `Bearer ${token}` }),
          refusedBy(401),
        );
      };
      await world().unharmed(() => eachOf(tokens, everywhere));
      expect(world().attacker.asked()).toBe(0);
    });

    test('a role is given neither by a header nor by a claim', async () => {
      const good = await world().people[name].token();
      await world().unharmed(async () => {
        for (const role of [
          'admin',
          'Admin',
          ' ADMIN',
          'user,admin',
          '["admin"]',
          'owner',
          'org:admin',
          'editor',
          '*',
          '%61dmin',
          'аdmin',
        ]) {
          const role_ = ['X-Hasura-Role', role] as const;
          await world().expectRefused(
            `role ${role}`,
            askEngine(world().stack.engine.url, [bearer(good), role_]),
            refusedByEngine,
          );
          if (name === 'clerk') {
            await world().expectRefused(
              `role ${role}`,
              askEngine(world().jwtEngine.url, [bearer(good), role_]),
              refusedByEngine,
            );
          }
          await world().expectRefused(
            `role ${role} at the hook`,
            world().askHook({ authorization: `Bearer ${good}`, 'X-Hasura-Role': role }),
            refusedBy(401),
          );
        }
        // Signed by the provider itself: what an administrator of it, or of one of its organizations, can do.
        const spoken = {
          'x-hasura-allowed-roles': ['admin', 'Admin', 'owner'],
          'x-hasura-default-role': 'admin',
          'x-hasura-role': 'admin',
        };
        for (const claims of [
          { 'https://hasura.io/jwt/claims': spoken },
          { 'https://hasura.io/jwt/claims': JSON.stringify(spoken) },
          spoken,
          { roles: ['admin', 'owner'] },
          { roles: [{ name: 'admin', isEnabled: true }] },
          { 'cognito:groups': ['admin', 'owner'] },
          { o: { id: 'org_1', rol: 'admin' }, org_role: 'admin', role: 'admin' },
        ]) {
          const token = await world().people[name].signed(claims);
          for (const role of ['admin', 'Admin', 'owner']) {
            await world().expectRefused(
              `role ${role} by claims ${JSON.stringify(claims)}`,
              askEngine(world().stack.engine.url, [bearer(token), ['x-hasura-role', role]]),
              refusedByEngine,
            );
          }
          world().count();
          const { body } = await send(world().askHook({ authorization: `Bearer ${token}` }));
          expect(JSON.parse(body)).toMatchObject({
            'x-hasura-role': 'user',
            'x-hasura-user-id': world().people[name].id,
          });
        }
      });
    });

    test('smuggled headers and claims make nobody somebody else', async () => {
      const { id, email, token } = world().people[name];
      const victim = world().others[name].id;
      const good = await token();
      const claimed = await world().people[name].signed({
        'x-hasura-user-id': victim,
        user_id: victim,
        id: victim,
        'https://hasura.io/jwt/claims': { 'x-hasura-user-id': victim, 'X-Hasura-User-Id': victim },
      });
      await world().unharmed(async () => {
        for (const headers of [
          [['x-hasura-user-id', victim]],
          [['X-HASURA-USER-ID', victim]],
          [
            ['x-hasura-user-id', victim],
            ['x-hasura-user-id', victim],
          ],
          [
            ['x-hasura-allowed-roles', '["admin"]'],
            ['x-hasura-default-role', 'admin'],
          ],
          [
            ['x-hasura-org-id', 'org_1'],
            ['x-hasura-org-role', 'org:admin'],
          ],
          [['x-hasura-use-backend-only-permissions', 'true']],
          [['cookie', `x-hasura-user-id=${victim}; authorization=Bearer a.b.c`]],
          [
            ['x-forwarded-user', victim],
            ['x-user-id', victim],
          ],
          [['proxy-authorization', 'Bearer a.b.c']],
          [
            ['forwarded', 'for=127.0.0.1'],
            ['x-real-ip', '127.0.0.1'],
          ],
        ] as const) {
          world().count();
          const { body } = await send(askEngine(world().stack.engine.url, [bearer(good), ...headers]));
          expect(JSON.parse(body), JSON.stringify(headers)).toEqual({ data: { users: [{ id, email }] } });
        }
        world().count();
        const { body } = await send(askEngine(world().stack.engine.url, [bearer(claimed)]));
        expect(JSON.parse(body)).toEqual({ data: { users: [{ id, email }] } });
      });
    });
  });
}
