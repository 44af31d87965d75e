import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { email, userFields } from '#stand-ins/core/control-fields.ts';
import { type LocalDirectory, type OidcUser, RefusedError } from './directory.ts';

const profile = {
  name: z.string().optional(),
  given_name: z.string().optional(),
  family_name: z.string().optional(),
};
const signUpSchema = z.object({ email, ...profile });
const updateSchema = userFields.extend({ email: email.optional(), ...profile });
const tokenSchema = userFields.extend({ lifetime: z.coerce.number().int().optional() });

export interface Control {
  readonly directory: LocalDirectory;
  token(user: OidcUser, options: { lifetimeSeconds?: number | undefined }): Promise<string>;
  save(): Promise<void>;
}

/** What people do on an issuer's pages, as calls that are easy to type: fields as a form, a token as plain text. */
export function controlApi(app: FastifyInstance, { directory, token, save }: Control): void {
  app.post('/sign-up', async ({ body }) => saved(directory.signUp(given(signUpSchema.parse(body)))));
  app.post('/users/update', async ({ body }) => {
    const { user, ...changes } = updateSchema.parse(body);
    return saved(directory.updateUser(user, given(changes)));
  });
  app.post('/users/delete', async ({ body }, reply) => {
    directory.deleteUser(userFields.parse(body).user);
    await save();
    return reply.code(204).send();
  });
  app.get('/token', async ({ query }, reply) => {
    const { user, lifetime } = tokenSchema.parse(query);
    const found = directory.findUser(user);
    if (found === undefined) throw new RefusedError(`there is no user ${user}: sign them up first`);
    return reply.type('text/plain').send(await token(found, { lifetimeSeconds: lifetime }));
  });

  async function saved(user: OidcUser): Promise<OidcUser> {
    await save();
    return user;
  }
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that were left out. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
