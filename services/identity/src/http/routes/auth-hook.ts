import { LatchkeyError } from '@latchkey/core/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type HeaderList, headerList } from '#auth/credentials.ts';
import { type AuthHookSettings, createAuthHook, type Session } from '#auth/hook.ts';
import { isJsonObject } from '#core/payload.ts';
import { errorHandler } from '#http/errors.ts';
import { checkHeaderCount } from '#http/limits.ts';

/** What Hasura sends in mode POST. The GraphQL request may be beside it; it changes nothing here. */
const POSTED = z.object({ headers: z.record(z.string(), z.string()) });

/** The client's headers, of which Hasura takes 50 KB, as JSON. */
const BODY_LIMIT = 64 * 1024;

/**
 * `GET` and `POST /auth/hook`: tells Hasura who a client is. Anybody may ask, for the answer says no
 * more than what the bearer of a token is, who may read it all.
 */
export function authHook(app: FastifyInstance, settings: AuthHookSettings): void {
  const authenticate = createAuthHook(settings);
  /** The JSON of session variables, without its last brace: most of them are told many times. */
  const texts = new WeakMap<Session['variables'], string>();

  function textOf(variables: Session['variables']): string {
    const text = texts.get(variables) ?? JSON.stringify(variables).slice(0, -1);
    texts.set(variables, text);
    return text;
  }

  async function answer(headers: HeaderList, reply: FastifyReply): Promise<string> {
    // Refusals and failures may be over the next moment.
    reply.header('cache-control', 'no-store');
    const { variables, maxAgeSeconds } = await authenticate(headers);
    reply.type('application/json; charset=utf-8');
    if (maxAgeSeconds === undefined) return `${textOf(variables)}}`;
    const lifetime = `max-age=${maxAgeSeconds}`;
    reply.header('cache-control', lifetime);
    // Hasura looks for it in the body, by just this name, and ends a WebSocket by it.
    return `${textOf(variables)},"Cache-Control":"${lifetime}"}`;
  }

  app.get('/auth/hook', async (request, reply) => answer(headerList(request.raw.rawHeaders), reply));

  const limits = { bodyLimit: BODY_LIMIT, errorHandler: hookErrorHandler };
  app.post('/auth/hook', limits, async (request, reply) => {
    // Counted first: looking at each takes far longer.
    const body = isJsonObject(request.body) ? request.body : {};
    if (isJsonObject(body.headers)) checkHeaderCount(Object.keys(body.headers).length);
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

function hookErrorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return errorHandler(error, request, reply);
  const message = `The body has more than ${BODY_LIMIT} bytes: set HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY to false, so that Hasura sends the headers alone.`;
  return errorHandler(new LatchkeyError('payload-too-large', message), request, reply);
}
