import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { email, userFields as userSchema } from '#stand-ins/core/control-fields.ts';
import type { Actions } from './actions.ts';
import { type LocalDirectory, RefusedError } from './directory.ts';
import { TOKEN_FORMATS, type TokenOptions } from './tokens.ts';
import type { CasdoorUser } from './types.ts';

const signUpSchema = z.object({
  email,
  organization: z.string().optional(),
  username: z.string().optional(),
  name: z.string().optional(),
});
const tokenSchema = userSchema.extend({
  lifetime: z.coerce.number().int().optional(),
  format: z.enum(TOKEN_FORMATS).optional(),
  refresh: z.stringbool().optional(),
});

export type Control = {
  directory: LocalDirectory;
  actions: Actions;
  /** The organization that people join who name none. */
  organization: string;
  token(user: CasdoorUser, options: TokenOptions): Promise<string>;
};

/**
 * What people do on Casdoor's pages, as calls that are easy to type: fields as a form
 * (`curl -d email=ada@example.com`), a token as plain text. A user is named by id, e-mail address or
 * `<organization>/<name>`.
 */
export function controlApi(app: FastifyInstance, { directory, actions, organization, token }: Control): void {
  app.post('/sign-up', async ({ body }) => {
    const { email, username = email.split('@')[0], name, ...rest } = signUpSchema.parse(body);
    return actions.signUp(`${rest.organization ?? organization}/${username}`, {
      email,
      emailVerified: true,
      ...(name !== undefined && { displayName: name }),
    });
  });
  app.post('/sign-in', async ({ body }) => actions.signIn(nameOf(userSchema.parse(body).user)));
  app.post('/users/update', async ({ body }) => {
    const { user, name, email } = userSchema
      .extend({ name: z.string().optional(), email: z.string().optional() })
      .parse(body);
    return actions.updateUser(nameOf(user), {
      ...(name !== undefined && { displayName: name }),
      ...(email !== undefined && { email }),
    });
  });
  app.post('/users/delete', async ({ body }) => actions.deleteUser(nameOf(userSchema.parse(body).user)));
  app.post('/organizations', async ({ body }) =>
    actions.addOrganization(z.object({ name: z.string() }).parse(body).name),
  );

  app.get('/token', async ({ query }, reply) => {
    const { user, lifetime, format, refresh } = tokenSchema.parse(query);
    const text = await token(requireUser(user), { format, refresh, lifetimeSeconds: lifetime });
    return reply.type('text/plain').send(text);
  });

  function requireUser(text: string): CasdoorUser {
    const user = directory.findUser(text);
    if (user === undefined) throw new RefusedError(`The user: ${text} doesn't exist: sign them up first`);
    return user;
  }

  function nameOf(text: string): string {
    const { owner, name } = requireUser(text);
    return `${owner}/${name}`;
  }
}
