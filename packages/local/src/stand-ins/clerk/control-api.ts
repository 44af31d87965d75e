import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { email, userFields as userSchema } from '#stand-ins/core/control-fields.ts';
import { requireAccess } from './access.ts';
import { json } from './backend-api.ts';
import type { LocalDirectory, UserInput } from './directory.ts';
import { NotFoundError } from './errors.ts';
import type { TokenOptions } from './tokens.ts';
import type { ClerkUser } from './types.ts';

const profileSchema = z.object({
  email: email.optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
});
const signUpSchema = profileSchema.extend({ email });
const organizationSchema = z.object({ name: z.string(), user: z.string().optional() });
const memberSchema = z.object({
  organization: z.string(),
  user: z.string(),
  role: z.string().default('org:member'),
});
const tokenSchema = userSchema.extend({
  organization: z.string().optional(),
  lifetime: z.coerce.number().int().optional(),
});

export type Control = {
  directory: LocalDirectory;
  token(userId: string, options: TokenOptions): Promise<string>;
};

/**
 * What people do in Clerk's dashboard and sign-up forms, as calls that are easy to type: fields as
 * a form (`curl -d email=ada@example.com`) or as JSON, a token as plain text. A user is named by id or e-mail
 * address.
 */
export function controlApi(app: FastifyInstance, { directory, token }: Control): void {
  app.post('/sign-up', async ({ body }, reply) =>
    json(reply, directory.signUp(toInput(signUpSchema.parse(body)))),
  );
  app.post('/sign-in', async ({ body }, reply) =>
    json(reply, directory.signIn(requireUser(userSchema.parse(body).user).id)),
  );
  app.post('/users/update', async ({ body }, reply) => {
    const { user, ...profile } = profileSchema.extend({ user: z.string() }).parse(body);
    return json(reply, directory.updateUser(requireUser(user).id, toInput(profile)));
  });
  app.post('/users/delete', async ({ body }, reply) =>
    json(reply, directory.deleteUser(requireUser(userSchema.parse(body).user).id)),
  );
  for (const [verb, change] of Object.entries({
    ban: directory.banUser,
    unban: directory.unbanUser,
    lock: directory.lockUser,
    unlock: directory.unlockUser,
  })) {
    app.post(`/users/${verb}`, async ({ body }, reply) =>
      json(reply, change(requireUser(userSchema.parse(body).user).id)),
    );
  }
  app.post('/sessions/revoke', async ({ body }, reply) => {
    const { id } = requireUser(userSchema.parse(body).user);
    const sessions = directory
      .state()
      .sessions.filter((one) => one.user_id === id && one.status === 'active');
    return json(
      reply,
      sessions.map((session) => directory.revokeSession(session.id)),
    );
  });
  app.post('/organizations', async ({ body }, reply) => {
    const { name, user } = organizationSchema.parse(body);
    const creator = user === undefined ? undefined : requireUser(user);
    const organization = directory.createOrganization({ name, createdBy: creator?.id });
    // As in Clerk, who creates an organization is its first admin.
    if (creator !== undefined) directory.setMembership(organization.id, creator.id, 'org:admin');
    return json(reply, organization);
  });
  app.post('/organizations/delete', async ({ body }, reply) => {
    const { organization } = z.object({ organization: z.string() }).parse(body);
    return json(reply, directory.deleteOrganization(organization));
  });
  app.post('/memberships', async ({ body }, reply) => {
    const { organization, user, role } = memberSchema.parse(body);
    return json(reply, directory.setMembership(organization, requireUser(user).id, role));
  });
  app.post('/memberships/delete', async ({ body }, reply) => {
    const { organization, user } = memberSchema.parse(body);
    return json(reply, directory.removeMembership(organization, requireUser(user).id));
  });

  app.get('/token', async ({ query }, reply) => {
    const { user, organization, lifetime } = tokenSchema.parse(query);
    const holder = requireUser(user);
    requireAccess(holder);
    const { id } = holder;
    const membership = directory
      .state()
      .memberships.find((one) => one.organization.id === organization && one.public_user_data.user_id === id);
    if (organization !== undefined && membership === undefined) {
      throw new NotFoundError(`${user} is no member of ${organization}.`);
    }
    const text = await token(id, {
      organization: membership && { id: membership.organization.id, role: membership.role },
      lifetimeSeconds: lifetime,
    });
    return reply.type('text/plain').send(text);
  });

  function requireUser(idOrEmail: string): ClerkUser {
    const user = directory.findUser(idOrEmail);
    if (user === undefined) throw new NotFoundError(`There is no user ${idOrEmail}: sign them up first.`);
    return user;
  }
}

function toInput(profile: z.infer<typeof profileSchema>): UserInput {
  return {
    email: profile.email,
    firstName: profile.first_name,
    lastName: profile.last_name,
    username: profile.username,
  };
}
