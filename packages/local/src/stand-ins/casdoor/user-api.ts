import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LocalDirectory } from './directory.ts';
import { ok, refuse } from './replies.ts';
import type { CasdoorAccountItem, CasdoorUser } from './types.ts';

const QUERY = z.object({
  id: z.string().default(''),
  userId: z.string().default(''),
  owner: z.string().default(''),
  columns: z.string().default(''),
});

const NAMED = z.object({ owner: z.string(), name: z.string() });
const CHANGE = z.object({
  displayName: z.string().optional(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  isForbidden: z.boolean().optional(),
});

/** What Casdoor calls a field among the Account items. It has no rule for the others. */
const CHECKED_ITEMS = { displayName: 'Display name', isForbidden: 'Is forbidden' } as const;

/**
 * The calls of Casdoor's API for one user: who is asked for in which way, and what a client may change.
 *
 * @param isApplication whether a request has the right credentials; wrong ones are ignored and not refused
 */
export function userApi(
  app: FastifyInstance,
  directory: LocalDirectory,
  isApplication: (request: FastifyRequest) => boolean,
): void {
  const state = () => directory.state();

  app.get('/api/get-user', async (request, reply) => {
    const { id, userId, owner } = QUERY.parse(request.query);
    if (id === '' && owner === '' && !userId) return ok(reply, null);
    if (!userId && id.split('/').length !== 2) {
      return refuse(reply, `GetOwnerAndNameFromId() error, wrong token count for ID: ${id}`);
    }
    const user = userId ? byId(owner, userId) : byName(id);
    if (user === undefined) return ok(reply, null);
    const organization = state().organizations.find(({ name }) => name === user.owner);
    if (organization === undefined) {
      // By an id alone it tells the parameter that is not there.
      return refuse(reply, `The organization: ${userId ? owner : user.owner} does not exist`);
    }
    if (isApplication(request)) return ok(reply, withRoles(user));
    if (!organization.isProfilePublic) return refuse(reply, 'Please login first');
    // Anybody may look, and sees what only administrators see as if it were not so.
    const hidden = { password: '', isAdmin: false, isForbidden: false, isDeleted: false, properties: {} };
    return ok(reply, { ...withRoles(user), ...hidden });
  });

  // Calls by the API leave no record, so no webhook tells of them.
  app.post('/api/update-user', async (request, reply) => {
    if (!isApplication(request)) return refuse(reply, 'Unauthorized operation');
    const { id, columns } = QUERY.parse(request.query);
    const user = byName(id);
    if (user === undefined) return refuse(reply, `The user: ${id} doesn't exist`);
    const change = CHANGE.parse(request.body);
    const organization = state().organizations.find(({ name }) => name === user.owner);
    const objection = objectionTo(user, change, organization?.accountItems ?? []);
    if (objection !== undefined) return refuse(reply, objection);
    // By the names of the JSON or of the database; what is no column is passed over.
    const wanted = new Set(columns.split(',').map(toCamelCase));
    const input = Object.fromEntries(Object.entries(change).filter(([field]) => wanted.has(field)));
    directory.updateUser(id, input);
    return ok(reply, Object.keys(input).length > 0 ? 'Affected' : 'Unaffected');
  });

  // By owner and name alone: an id beside them is not looked at.
  app.post('/api/delete-user', async (request, reply) => {
    if (!isApplication(request)) return refuse(reply, 'Unauthorized operation');
    const { owner, name } = NAMED.parse(request.body);
    if (owner === 'built-in' && name === 'admin') return refuse(reply, 'Unauthorized operation');
    if (byName(`${owner}/${name}`) === undefined) return ok(reply, 'Unaffected');
    directory.deleteUser(`${owner}/${name}`);
    return ok(reply, 'Affected');
  });

  function byName(fullName: string): CasdoorUser | undefined {
    return state().users.find(({ owner, name }) => `${owner}/${name}` === fullName);
  }

  /** Without an owner the first of all organizations. */
  function byId(owner: string, id: string): CasdoorUser | undefined {
    return state().users.find((user) => user.id === id && (owner === '' || user.owner === owner));
  }

  function withRoles(user: CasdoorUser): Record<string, unknown> {
    const roles = directory.rolesOf(user).map((role) => ({ ...role, users: null }));
    return { ...user, roles, permissions: [] };
  }
}

/** What Casdoor has against a change by a client, which counts as an administrator. */
function objectionTo(
  user: CasdoorUser,
  change: z.infer<typeof CHANGE>,
  items: readonly CasdoorAccountItem[],
): string | undefined {
  for (const field of ['displayName', 'isForbidden'] as const) {
    const value = change[field];
    if (value === undefined || value === user[field]) continue;
    if (value === '') return 'Display name cannot be empty';
    const item = items.find(({ name }) => name === CHECKED_ITEMS[field]);
    if (item === undefined) continue;
    if (item.modifyRule === 'Immutable') return `The ${item.name} is immutable.`;
    if (!['Self', 'Admin'].includes(item.modifyRule)) return `Unknown modify rule ${item.modifyRule}.`;
    if (item.regex !== '' && !new RegExp(item.regex).test(String(value))) {
      return `The value "${value}" for account field "${item.name}" doesn't match the account item regex`;
    }
  }
  return undefined;
}

function toCamelCase(column: string): string {
  return column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
