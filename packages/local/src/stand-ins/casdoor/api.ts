import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LocalDirectory } from './directory.ts';
import { ok, refuse } from './replies.ts';
import type { Owned } from './roles.ts';
import { userApi } from './user-api.ts';

const QUERY = z.object({
  id: z.string().default(''),
  owner: z.string().default(''),
  p: z.coerce.number().int().optional(),
  pageSize: z.coerce.number().int().optional(),
  field: z.string().default(''),
  value: z.string().default(''),
  sortField: z.string().default(''),
  sortOrder: z.string().default(''),
});

export type Credentials = { clientId: string; clientSecret: string };

/** The calls of Casdoor's API that the identity service makes, with the quirks that matter to it. */
export function api(app: FastifyInstance, directory: LocalDirectory, credentials: Credentials): void {
  const right = `Basic ${Buffer.from(`${credentials.clientId}:${credentials.clientSecret}`).toString('base64')}`;
  // Wrong credentials are not refused but ignored, as a proxy's might be.
  const isApplication = (request: FastifyRequest): boolean => request.headers.authorization === right;
  const state = () => directory.state();

  userApi(app, directory, isApplication);

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
    closed.get('/api/get-organizations', async (request, reply) =>
      page(request, reply, state().organizations),
    );
    closed.get('/api/get-organization', async (request, reply) => one(request, reply, state().organizations));
    closed.get('/api/get-groups', async (request, reply) => page(request, reply, groups()));
    closed.get('/api/get-group', async (request, reply) => one(request, reply, groups()));
    closed.get('/api/get-roles', async (request, reply) => page(request, reply, state().roles));
    closed.get('/api/get-role', async (request, reply) => one(request, reply, state().roles));
  });

  function groups() {
    return state().groups.map((group) => {
      const members = state().users.filter((user) => user.groups.includes(`${group.owner}/${group.name}`));
      return { ...group, users: members.map(({ owner, name }) => `${owner}/${name}`) };
    });
  }
}

function one(request: FastifyRequest, reply: FastifyReply, all: Owned[]) {
  const { id } = QUERY.parse(request.query);
  if (id.split('/').length !== 2) {
    return refuse(reply, `GetOwnerAndNameFromId() error, wrong token count for ID: ${id}`);
  }
  return ok(reply, all.find(({ owner, name }) => `${owner}/${name}` === id) ?? null);
}

function page(request: FastifyRequest, reply: FastifyReply, all: Owned[]) {
  const { owner, p, pageSize, field, value, sortField, sortOrder } = QUERY.parse(request.query);
  const direction = sortOrder === 'ascend' ? 1 : -1;
  const get = (item: object, name: string): string => String(new Map(Object.entries(item)).get(name));
  const key = (item: object): string => get(item, sortField || 'createdTime');
  const wanted = all
    .filter((item) => owner === '' || item.owner === owner)
    // Whatever holds it, as LIKE '%…%' does.
    .filter((item) => field === '' || value === '' || get(item, field).includes(value))
    .toSorted((a, b) => (key(a) < key(b) ? -direction : direction));
  // Without one of the two everything comes at once, and no total.
  if (p === undefined || pageSize === undefined) return ok(reply, wanted);
  // A page behind the last one is the last one.
  const last = Math.max(1, Math.ceil(wanted.length / pageSize));
  const from = (Math.min(Math.max(p, 1), last) - 1) * pageSize;
  return ok(reply, wanted.slice(from, from + pageSize), wanted.length);
}
