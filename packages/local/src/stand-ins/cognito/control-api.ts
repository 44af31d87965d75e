import {
  type CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

/** Everybody's password here. */
const PASSWORD = 'Passw0rd!';

const signUpSchema = z.object({
  email: z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address'),
  given_name: z.string().optional(),
});
/** A user is named by their e-mail address. */
const tokenSchema = z.object({ user: z.string(), use: z.enum(['id', 'access']).default('id') });

export type Pool = { client: CognitoIdentityProviderClient; clientId: string; confirmationCode: string };

/**
 * What people do in an app of the pool, as calls that are easy to type: fields as a form
 * (`curl -d email=ada@example.com`), a token as plain text. The calls go the usual way, triggers and all.
 *
 * @param pool gives the pool once it is there
 */
export function controlApi(app: FastifyInstance, pool: () => Pool): void {
  app.post('/sign-up', async ({ body }) => {
    const form = Object.fromEntries(new URLSearchParams(z.string().parse(body)));
    const { email, given_name } = signUpSchema.parse(form);
    const { client, clientId: ClientId, confirmationCode: ConfirmationCode } = pool();
    const { UserSub } = await client.send(
      new SignUpCommand({
        ClientId,
        Username: email,
        Password: PASSWORD,
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
    const { client, clientId: ClientId } = pool();
    const { AuthenticationResult: tokens = {} } = await client.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: user, PASSWORD },
      }),
    );
    return reply.type('text/plain').send(use === 'id' ? tokens.IdToken : tokens.AccessToken);
  });

  app.setErrorHandler((error, _request, reply) => {
    const message =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : error instanceof Error
          ? error.message
          : String(error);
    return reply.code(400).send({ __type: 'InvalidParameterException', message });
  });
}
