import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LocalDirectory } from './directory.ts';
import type { CasdoorUser } from './types.ts';

const querySchema = z.object({
  id: z.string().default(''),
  userId: z.string().default(''),
  owner: z.string().default(''),
  p: z.coerce.number().int().optional(),
  pageSize: z.coerce.number().int().optional(),
  sortField: z.string().default(''),
  sortOrder: z.string().default(''),
  columns: z.string().default(''),
});

const namedSchema = z.object({ owner: z.string(), name: z.string() });
/** It wants to be sent the whole user. */
const changeSchema = namedSchema.extend({
  id: z.string(),
  displayName: z.string(),
  firstName: z.string(),
  lastName: z.string(),
});

export type Credentials = { clientId: string; clientSecret: string };

/** The calls of Casdoor's API that the identity service makes, with the quirks that matter to it. */
export function api(app: FastifyInstance, directory: LocalDirectory, credentials: Credentials): void {
  const right = `Basic ${Buffer.from(`${credentials.clientId}:${credentials.clientSecret}`).toString('base64')}`;
  // Wrong credentials are not refused but ignored, as a proxy's might be.
  const isApplication = (request: FastifyRequest): boolean => request.headers.authorization === right;
  const state = () => directory.state();

  app.get('/api/get-user', async (request, reply) => {
    const { id, userId } = querySchema.parse(request.query);
    const user = directory.findUser(userId === '' ? id : userId);
    if (user === undefined) return ok(reply, null);
    const organization = state().organizations.find(({ name }) => name === user.owner);
    if (organization === undefined) {
      return refuse(reply, `The organization: ${user.owner} does not exist`);
    }
    if (isApplication(request)) return ok(reply, withRoles(user));
    if (!organization.isProfilePublic) return refuse(reply, 'Please login first');
    // Anybody may look, and sees what only administrators see as if it were not so.
    const hidden = { password: '', isAdmin: false, isForbidden: false, isDeleted: false, properties: {} };
    return ok(reply, { ...withRoles(user), ...hidden });
  });

  app.register(async (closed) => {
    closed.addHook('onRequest', async (request, reply) => {
      if (!isApplication(request)) await refuse(reply, 'Unauthorized operation');
    });
    closed.get('/api/get-users', async (request, reply) =>
      // Lists do not fill the roles.
      page(
        request,
        reply,
        state().users.map((user) => ({ ...user, roles: null, permissions: null })),
      ),
    );
    // Calls by the API leave no record, so no webhook tells of them.
    closed.post('/api/update-user', async (request, reply) => {
      const { id, columns } = querySchema.parse(request.query);
      const { displayName, firstName, lastName } = changeSchema.parse(request.body);
      if (displayName === '') return refuse(reply, 'Display name cannot be empty');
      // By the names of the database; what is no column is passed over.
      const input = {
        ...(columns.split(',').includes('first_name') && { firstName }),
        ...(columns.split(',').includes('last_name') && { lastName }),
        ...(columns.split(',').includes('display_name') && { displayName }),
      };
      const isKnown = directory.findUser(id) !== undefined;
      if (!isKnown) return refuse(reply, `The user: ${id} doesn't exist`);
      directory.updateUser(id, input);
      return ok(reply, Object.keys(input).length > 0 ? 'Affected' : 'Unaffected');
    });
    closed.post('/api/delete-user', async (request, reply) => {
      const { owner, name } = namedSchema.parse(request.body);
      if (owner === 'built-in' && name === 'admin') return refuse(reply, 'Unauthorized operation');
      if (directory.findUser(`${owner}/${name}`) === undefined) return ok(reply, 'Unaffected');
      directory.deleteUser(`${owner}/${name}`);
      return ok(reply, 'Affected');
    });
    closed.get('/api/get-organizations', async (request, reply) =>
      page(request, reply, state().organizations),
    );
    closed.get('/api/get-organization', async (request, reply) => one(request, reply, state().organizations));
    closed.get('/api/get-groups', async (request, reply) => page(request, reply, groups()));
    closed.get('/api/get-group', async (request, reply) => one(request, reply, groups()));
    closed.get('/api/get-roles', async (request, reply) => page(request, reply, state().roles));
    closed.get('/api/get-role', async (request, reply) => one(request, reply, state().roles));
  });

  function withRoles(user: CasdoorUser): Record<string, unknown> {
    const roles = directory.rolesOf(user).map((role) => ({ ...role, users: null }));
    return { ...user, roles, permissions: [] };
  }

  function groups() {
    return state().groups.map((group) => {
      const members = state().users.filter((user) => user.groups.includes(`${group.owner}/${group.name}`));
      return { ...group, users: members.map(({ owner, name }) => `${owner}/${name}`) };
    });
  }
}

function one(request: FastifyRequest, reply: FastifyReply, all: { owner: string; name: string }[]) {
  const { id } = querySchema.parse(request.query);
  if (id.split('/').length !== 2) {
    return refuse(reply, `GetOwnerAndNameFromId() error, wrong token count for ID: ${id}`);
  }
  return ok(reply, all.find(({ owner, name }) => `${owner}/${name}` === id) ?? null);
}

function page(request: FastifyRequest, reply: FastifyReply, all: { owner: string; name: string }[]) {
  const { owner, p, pageSize, sortField, sortOrder } = querySchema.parse(request.query);
  const direction = sortOrder === 'ascend' ? 1 : -1;
  const key = (item: object): string => String(new Map(Object.entries(item)).get(sortField || 'createdTime'));
  const wanted = all
    .filter((item) => owner === '' || item.owner === owner)
    .toSorted((a, b) => (key(a) < key(b) ? -direction : direction));
  // Without one of the two everything comes at once, and no total.
  if (p === undefined || pageSize === undefined) return ok(reply, wanted);
  // A page behind the last one is the last one.
  const last = Math.max(1, Math.ceil(wanted.length / pageSize));
  const from = (Math.min(Math.max(p, 1), last) - 1) * pageSize;
  return ok(reply, wanted.slice(from, from + pageSize), wanted.length);
}

function ok(reply: FastifyReply, data: unknown, data2: unknown = null): FastifyReply {
  return reply.send({ status: 'ok', msg: '', sub: '', name: '', data, data2, data3: null });
}

/** Casdoor's way of telling an error: with status 200. */
export function refuse(reply: FastifyReply, msg: string): FastifyReply {
  return reply.code(200).send({ status: 'error', msg, data: null, data2: null });
}
