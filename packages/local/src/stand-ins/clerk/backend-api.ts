import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type LocalDirectory, primaryEmail } from './directory.ts';
import type { ClerkUser } from './types.ts';

const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(10),
  offset: z.coerce.number().int().min(0).default(0),
  order_by: z.string().default('-created_at'),
});
const filterSchema = z.object({
  user_id: z.union([z.string(), z.array(z.string())]).optional(),
  email_address: z.union([z.string(), z.array(z.string())]).optional(),
});
const sessionFilterSchema = z.object({
  user_id: z.string(),
  status: z.string().optional(),
  paginated: z.string().optional(),
});
const idSchema = z.object({ id: z.string() });
const patchSchema = z.object({
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
  public_metadata: z.record(z.string(), z.unknown()).optional(),
});

/** The calls of Clerk's Backend API (`api.clerk.com/v1`) that the identity service makes. */
export function backendApi(
  app: FastifyInstance,
  directory: LocalDirectory,
  { secretKey, instanceId }: { secretKey: string; instanceId: string },
): void {
  app.register(
    async (api) => {
      api.addHook('onRequest', async (request, reply) => {
        if (request.headers.authorization === `Bearer ${secretKey}`) return;
        await json(
          reply,
          clerkError('authentication_invalid', 'The secret key is not this instance’s.'),
          401,
        );
      });

      api.get('/instance', async (_request, reply) =>
        json(reply, {
          object: 'instance',
          id: instanceId,
          environment_type: 'development',
          allowed_origins: null,
        }),
      );
      api.get('/users', async (request, reply) => {
        const { user_id, email_address } = filterSchema.parse(request.query);
        const ids = listOf(user_id);
        const addresses = listOf(email_address)?.map((address) => address.toLowerCase());
        const users = directory
          .state()
          .users.filter((user) => ids?.includes(user.id) ?? true)
          .filter((user) => addresses?.includes(primaryEmail(user)?.toLowerCase() ?? '') ?? true);
        return json(reply, page(request, users));
      });
      api.get('/users/count', async (_request, reply) =>
        json(reply, { object: 'total_count', total_count: directory.state().users.length }),
      );
      api.get('/users/:id', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        const user = userById(id);
        return user === undefined ? json(reply, notFound(), 404) : json(reply, user);
      });
      api.patch('/users/:id', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        const patch = patchSchema.parse(request.body);
        return json(
          reply,
          directory.updateUser(id, {
            firstName: patch.first_name,
            lastName: patch.last_name,
            username: patch.username,
            publicMetadata: patch.public_metadata,
          }),
        );
      });
      api.delete('/users/:id', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        directory.deleteUser(id);
        return json(reply, { id, object: 'user', deleted: true });
      });
      for (const [verb, change] of Object.entries({
        ban: directory.banUser,
        unban: directory.unbanUser,
        lock: directory.lockUser,
        unlock: directory.unlockUser,
      })) {
        api.post(`/users/:id/${verb}`, async (request, reply) =>
          json(reply, change(idSchema.parse(request.params).id)),
        );
      }

      api.get('/sessions', async (request, reply) => {
        const { user_id, status, paginated } = sessionFilterSchema.parse(request.query);
        const sessions = directory
          .state()
          .sessions.filter((one) => one.user_id === user_id && (status ?? one.status) === one.status);
        const data = page(request, sessions);
        return json(reply, paginated === 'true' ? { data, total_count: sessions.length } : data);
      });
      api.post('/sessions/:id/revoke', async (request, reply) =>
        json(reply, directory.revokeSession(idSchema.parse(request.params).id)),
      );

      api.get('/organizations', async (request, reply) => {
        const { organizations } = directory.state();
        return json(reply, { data: page(request, organizations), total_count: organizations.length });
      });
      api.get('/organizations/:id', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        const organization = directory.state().organizations.find((one) => one.id === id);
        return organization === undefined ? json(reply, notFound(), 404) : json(reply, organization);
      });
      api.get('/organizations/:id/memberships', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        const { organizations, memberships: all } = directory.state();
        if (organizations.every((one) => one.id !== id)) return json(reply, notFound(), 404);
        const ids = listOf(filterSchema.parse(request.query).user_id);
        const memberships = all
          .filter((one) => one.organization.id === id)
          .filter((one) => ids?.includes(one.public_user_data.user_id) ?? true);
        return json(reply, { data: page(request, memberships), total_count: memberships.length });
      });
      api.get('/users/:id/organization_memberships', async (request, reply) => {
        const { id } = idSchema.parse(request.params);
        const memberships = directory
          .state()
          .memberships.filter((one) => one.public_user_data.user_id === id);
        return json(reply, { data: page(request, memberships), total_count: memberships.length });
      });
      api.get('/organization_memberships', async (request, reply) => {
        const { memberships } = directory.state();
        return json(reply, { data: page(request, memberships), total_count: memberships.length });
      });
    },
    { prefix: '/v1' },
  );

  function userById(id: string): ClerkUser | undefined {
    return directory.state().users.find((user) => user.id === id);
  }
}

/** Clerk's client takes an answer for JSON only if the type is exactly this, without a charset. */
export function json(reply: FastifyReply, body: unknown, status = 200): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(`${JSON.stringify(body)}\n`));
}

/** Clerk's way of telling an error. */
export function clerkError(code: string, message: string): unknown {
  return { errors: [{ message, long_message: message, code, meta: {} }], clerk_trace_id: '0' };
}

function notFound(): unknown {
  return clerkError('resource_not_found', 'not found');
}

function page<T extends { created_at: number; updated_at: number }>(request: FastifyRequest, all: T[]): T[] {
  const { limit, offset, order_by } = pageSchema.parse(request.query);
  const clock = order_by.endsWith('updated_at') ? 'updated_at' : 'created_at';
  const direction = order_by.startsWith('-') ? -1 : 1;
  return all.toSorted((a, b) => (a[clock] - b[clock]) * direction).slice(offset, offset + limit);
}

function listOf(value: string | string[] | undefined): string[] | undefined {
  return value === undefined || Array.isArray(value) ? value : [value];
}
