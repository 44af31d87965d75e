import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createStandInServer, listen, type StandInServerOptions } from '#stand-ins/core/server.ts';
import type { Call } from './call.ts';
import { describeCall, eventOf } from './cloudtrail.ts';
import { globalSignOut } from './global-sign-out.ts';

export type Front = { url: string; close(): Promise<void> };

const SIGN_OUT = z.object({ UserPoolId: z.string(), Username: z.string() });
const USER = z.object({
  UserAttributes: z.array(z.object({ Name: z.string(), Value: z.string().optional() })),
});

/**
 * Stands before cognito-local and does what that leaves out: it signs people out everywhere, and tells of
 * the calls that an EventBridge rule waits for, once they have succeeded. It also has the control API.
 *
 * @param options.behind gives the address of cognito-local
 */
export async function startFront({
  port,
  behind,
  call,
  watched,
  onEvent,
  ...options
}: {
  port: number;
  behind: () => string;
  call: Call;
  /** The operations that the rule names. */
  watched: ReadonlySet<string>;
  onEvent: (event: object) => void;
} & Pick<StandInServerOptions, 'faults' | 'control' | 'told'>): Promise<Front> {
  async function subOf(UserPoolId: string, Username: string): Promise<string | undefined> {
    const user = USER.safeParse(await call('AdminGetUser', { UserPoolId, Username })).data;
    return user?.UserAttributes.find(({ Name }) => Name === 'sub')?.Value;
  }
  const sessions = globalSignOut(call);

  const app = createStandInServer({
    ...options,
    // Calls of an app's users, to sign up and to sign in, are not signed; the service's are.
    pathOf: (request) =>
      request.headers.authorization === undefined ? undefined : operationOf(request) || undefined,
    refuse: (reply, status) =>
      status === 429
        ? reply.code(400).send({ __type: 'TooManyRequestsException', message: 'Rate exceeded' })
        : reply.code(500).send({ __type: 'InternalErrorException', message: 'Something went wrong' }),
    answerError: (reply, _error, message) =>
      reply.code(400).send({ __type: 'InvalidParameterException', message }),
  });
  void app.register(async (scope) => {
    // Whatever it is, cognito-local gets it as it came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
    scope.all<{ Body: string | undefined }>('/*', passOn);
  });

  async function passOn(
    request: FastifyRequest<{ Body: string | undefined }>,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { method, body, headers } = request;
    const operation = operationOf(request);
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
  }

  const url = await listen(app, port);
  return { url, close: () => app.close() };
}

/** The operation that is called, such as `ListUsers`, or nothing. */
function operationOf({ headers }: FastifyRequest): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? (target.split('.')[1] ?? '') : '';
}
