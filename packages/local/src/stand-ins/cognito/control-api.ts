import {
  ConfirmSignUpCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { email, userFields } from '#stand-ins/core/control-fields.ts';
import type { Pool } from './pool.ts';

const signUpSchema = z.object({
  email,
  given_name: z.string().optional(),
});
/** A user is named by their e-mail address. */
const tokenSchema = userFields.extend({ use: z.enum(['id', 'access']).default('id') });

/**
 * What people do in an app of the pool, as calls that are easy to type: fields as a form
 * (`curl -d email=ada@example.com`), a token as plain text. The calls go the usual way, triggers and all.
 *
 * @param pool gives the pool once it is there
 */
export function controlApi(app: FastifyInstance, pool: () => Pool): void {
  app.post('/sign-up', async ({ body }) => {
    const { email, given_name } = signUpSchema.parse(body);
    const { client, clientId: ClientId, confirmationCode: ConfirmationCode, passwordOf } = pool();
    const { UserSub } = await client.send(
      new SignUpCommand({
        ClientId,
        Username: email,
        Password: passwordOf(email),
        UserAttributes: [
          { Name: 'email', Value: email },
          ...(given_name === undefined ? [] : [{ Name: 'given_name', Value: given_name }]),
        ],
      }),
    );
    await client.send(new ConfirmSignUpCommand({ ClientId, Username: email, ConfirmationCode }));
    return { sub: UserSub, email };
  });

  app.get('/token', async ({ query }, reply) => {
    const { user, use } = tokenSchema.parse(query);
    const { client, clientId: ClientId, passwordOf } = pool();
    const { AuthenticationResult: tokens = {} } = await client.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: user, PASSWORD: passwordOf(user) },
      }),
    );
    return reply.type('text/plain').send(use === 'id' ? tokens.IdToken : tokens.AccessToken);
  });
}
