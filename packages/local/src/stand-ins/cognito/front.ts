import Fastify from 'fastify';
import { z } from 'zod';
import { LOOPBACK } from '#processes/ports.ts';
import { answerThisMachineOnly } from '#stand-ins/core/loopback-only.ts';
import { describeCall, eventOf } from './cloudtrail.ts';
import { controlApi, type Pool } from './control-api.ts';
import { globalSignOut } from './global-sign-out.ts';

export type Front = { url: string; close(): Promise<void> };

const SIGN_OUT = z.object({ UserPoolId: z.string(), Username: z.string() });
const USER = z.object({
  UserAttributes: z.array(z.object({ Name: z.string(), Value: z.string().optional() })),
});

/**
 * Stands before cognito-local and does what that leaves out: it signs people out everywhere, and tells of
 * the calls that an EventBridge rule waits for, once they have succeeded. It also has a few calls that are easy to type.
 *
 * @param options.behind gives the address of cognito-local
 */
export async function startFront(options: {
  port: number;
  behind: () => string;
  /** The operations that the rule names. */
  watched: ReadonlySet<string>;
  onEvent: (event: object) => void;
  /** Gives the pool, once there is one. */
  pool: () => Pool;
}): Promise<Front> {
  const { behind, watched, onEvent, pool } = options;

  async function call(operation: string, input: object): Promise<unknown> {
    const answer = await fetch(behind(), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(input),
    });
    return JSON.parse((await answer.text()) || '{}');
  }

  async function subOf(UserPoolId: string, Username: string): Promise<string | undefined> {
    const user = USER.safeParse(await call('AdminGetUser', { UserPoolId, Username })).data;
    return user?.UserAttributes.find(({ Name }) => Name === 'sub')?.Value;
  }
  const sessions = globalSignOut(call);

  const app = Fastify({ forceCloseConnections: true });
  answerThisMachineOnly(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
  controlApi(app, pool);
  app.all<{ Body: string | undefined }>('/*', async (request, reply) => {
    const { method, body, headers } = request;
    const target = headers['x-amz-target'];
    const operation = typeof target === 'string' ? (target.split('.')[1] ?? '') : '';
    if (operation === 'AdminUserGlobalSignOut') {
      const { UserPoolId, Username } = SIGN_OUT.parse(JSON.parse(body ?? '{}'));
      const sub = await subOf(UserPoolId, Username);
      if (sub === undefined)
        return reply.code(400).send({ __type: 'UserNotFoundException', message: 'User does not exist.' });
      await sessions.signOut(sub);
      return reply.type('application/x-amz-json-1.1').send({});
    }
    const watchedCall =
      watched.has(operation) && body !== undefined
        ? await describeCall(operation, JSON.parse(body), subOf)
        : undefined;
    const answer = await fetch(new URL(request.url, behind()), {
      method,
      headers: Object.fromEntries(
        ['content-type', 'x-amz-target', 'authorization'].flatMap((name) => {
          const value = headers[name];
          return typeof value === 'string' ? [[name, value]] : [];
        }),
      ),
      ...(body !== undefined && { body }),
      redirect: 'manual',
    });
    const text = await answer.text();
    const told: unknown = answer.ok && text !== '' && operation !== '' ? JSON.parse(text) : {};
    if (watchedCall !== undefined && answer.ok) onEvent(eventOf(watchedCall, told));
    if (operation.endsWith('InitiateAuth') && body !== undefined) sessions.noteSignIn(JSON.parse(body), told);
    for (const name of ['content-type', 'location']) {
      const value = answer.headers.get(name);
      if (value !== null) reply.header(name, value);
    }
    return reply.code(answer.status).send(text);
  });
  const url = await app.listen({ host: LOOPBACK, port: options.port });
  return { url, close: () => app.close() };
}
