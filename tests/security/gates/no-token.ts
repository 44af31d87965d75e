import { describe, test } from 'vitest';
import type { Sent } from '../send.ts';
import { askEngine, bearer, refusedBy, refusedByEngine, type World } from '../world.ts';

/** Requests whose token is missing, or in the wrong place, or there twice. */
export function noTokenGate(world: () => World): void {
  describe('requests without a token that counts', () => {
    test('are refused, wherever the token is put instead', async () => {
      const good = await world().people.clerk.token();
      const cases: [string, Sent['headers']][] = [
        ['nothing', []],
        ['an empty header', [['authorization', '']]],
        ['Bearer alone', [['authorization', 'Bearer']]],
        ['no scheme', [['authorization', good]]],
        ['Basic', [['authorization', `Basic ${Buffer.from(`user:${good}`).toString('base64')}`]]],
        ['another scheme', [['authorization', `Token ${good}`]]],
        ['a scheme too many', [['authorization', `Bearer Bearer ${good}`]]],
        ['two in one', [['authorization', `Bearer a.b.c, Bearer ${good}`]]],
        ['a cookie', [['cookie', `token=${good}; __session=${good}; authorization=Bearer ${good}`]]],
        [
          'another header',
          [
            ['x-authorization', `Bearer ${good}`],
            ['x-access-token', good],
          ],
        ],
        [
          'session variables',
          [
            ['x-hasura-role', 'user'],
            ['x-hasura-user-id', world().people.clerk.id],
          ],
        ],
        ['role admin', [['x-hasura-role', 'admin']]],
      ];
      await world().unharmed(async () => {
        for (const [what, headers] of cases) {
          for (const url of world().engines())
            await world().expectRefused(what, askEngine(url, headers), refusedByEngine);
          const hook = { url: `${world().stack.service.url}/auth/hook`, method: 'GET', headers };
          await world().expectRefused(`${what}, by GET`, hook, refusedBy(401));
          await world().expectRefused(
            `${what}, by POST`,
            world().askHook(Object.fromEntries(headers)),
            refusedBy(401),
          );
        }
      });
    });

    test('a header that comes twice is refused, whichever is good', async () => {
      const good = bearer(await world().people.clerk.token());
      const forged = bearer('a.b.c');
      await world().unharmed(async () => {
        for (const headers of [
          [good, forged],
          [forged, good],
          [good, good],
          [good, ['x-hasura-role', 'user'], ['x-hasura-role', 'admin']],
        ] as const) {
          const hook = { url: `${world().stack.service.url}/auth/hook`, method: 'GET', headers };
          await world().expectRefused('twice, by GET', hook, refusedBy(401));
        }
        await world().expectRefused(
          'twice in two spellings, by POST',
          world().askHook({ authorization: good[1], Authorization: forged[1] }),
          refusedBy(401),
        );
        for (const headers of [
          [good, forged],
          [forged, good],
        ] as const) {
          await world().expectRefused(
            'twice, to the engine',
            askEngine(world().jwtEngine.url, headers),
            refusedByEngine,
          );
        }
      });
    });
  });
}
