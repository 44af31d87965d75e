import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { HeaderList } from '../../auth/credentials.ts';
import { type AuthHookSettings, createAuthHook } from '../../auth/hook.ts';
import { LatchkeyError } from '../../core/errors.ts';

/** What Hasura sends in mode POST. The GraphQL request may be beside it; it changes nothing here. */
const POSTED = z.object({ headers: z.record(z.string(), z.string()) });

/**
 * `GET` and `POST /auth/hook`: tells Hasura who a client is. Anybody may ask, for the answer says no
 * more than the token that they hold already.
 */
export function authHook(app: FastifyInstance, settings: AuthHookSettings): void {
  const authenticate = createAuthHook(settings);

  async function answer(headers: HeaderList, reply: FastifyReply): Promise<Record<string, string>> {
    // Refusals and failures may be over the next moment.
    reply.header('cache-control', 'no-store');
    const { variables, maxAgeSeconds } = await authenticate(headers);
    if (maxAgeSeconds === undefined) return variables;
    const lifetime = `max-age=${maxAgeSeconds}`;
    reply.header('cache-control', lifetime);
    // Hasura looks for it in the body, by just this name, and ends a WebSocket by it.
    return { ...variables, 'Cache-Control': lifetime };
  }

  app.get('/auth/hook', async (request, reply) => answer(pairs(request.raw.rawHeaders), reply));

  app.post('/auth/hook', async (request, reply) => {
    const posted = POSTED.safeParse(request.body);
    if (!posted.success) {
      throw new LatchkeyError(
        'request-invalid',
        'The body is not {"headers": {…}}: set HASURA_GRAPHQL_AUTH_HOOK_MODE to POST, or ask by GET.',
      );
    }
    return answer(Object.entries(posted.data.headers), reply);
  });
}

/** From Node's flat list of names and values, which alone shows a header that came twice. */
function pairs(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}
