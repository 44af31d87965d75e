import { z } from 'zod';
import type { CasdoorConfig } from '../../core/config.ts';
import { LatchkeyError } from '../../core/errors.ts';
import { parsePayload } from '../../core/payload.ts';
import { fetchWithoutRedirects, RedirectError } from '../../core/redirects.ts';
import { type Passing, patiently } from '../patiently.ts';

const text = z.string().catch('');
const flag = z.boolean().catch(false);
const texts = z
  .array(z.unknown())
  .catch([])
  .transform((values) => values.filter((value) => typeof value === 'string'));
const id = z.string().min(1).max(255);

const ROLE = z.object({
  owner: id,
  name: id,
  users: texts,
  groups: texts,
  roles: texts,
  isEnabled: flag,
});
export type CasdoorRole = z.infer<typeof ROLE>;

const USER = z.object({
  id,
  owner: id,
  name: id,
  createdTime: text,
  lastSigninTime: text,
  displayName: text,
  firstName: text,
  lastName: text,
  avatar: text,
  email: text,
  emailVerified: flag,
  phone: text,
  groups: texts,
  /** Lists of users do not fill it. */
  roles: z
    .array(ROLE)
    .nullish()
    .transform((roles) => roles ?? []),
  isAdmin: flag,
  isForbidden: flag,
  isDeleted: flag,
});
export type CasdoorUser = z.infer<typeof USER>;

const ORGANIZATION = z.object({ name: id, createdTime: text, displayName: text, logo: text });
export type CasdoorOrganization = z.infer<typeof ORGANIZATION>;

const GROUP = z.object({ owner: id, name: id, createdTime: text, displayName: text, users: texts });
export type CasdoorGroup = z.infer<typeof GROUP>;

/** Errors too come with status 200, and say so only here. */
const ANSWER = z.object({ status: z.literal('ok'), data: z.unknown(), data2: z.unknown() });

/** Whom to ask for: by the id, which is unique in the organization at most, or by the name. */
export type UserPlace =
  | { readonly owner: string; readonly userId: string }
  | { readonly owner: string; readonly name: string };

export interface Page<T> {
  readonly items: readonly T[];
  /** Of all pages. */
  readonly total: number;
}

export interface PageOptions {
  /** From 1. Casdoor answers a page behind the last one with the last one again. */
  readonly page: number;
  readonly size: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls of Casdoor's API that Latchkey makes. Each may throw LatchkeyError `provider-unreachable`:
 * those for one thing at once, for a webhook's sender waits for them; those for lists only after a while.
 */
export interface CasdoorApi {
  /**
   * A user of one organization: whoever bears the same id or name in another one is somebody else, and
   * Casdoor, asked without an organization, answers with the first of them.
   */
  findUser(who: UserPlace): Promise<CasdoorUser | undefined>;
  findOrganization(name: string): Promise<CasdoorOrganization | undefined>;
  /** @param name `<organization>/<group>` */
  findGroup(name: string): Promise<CasdoorGroup | undefined>;
  /** @param name `<organization>/<role>` */
  findRole(name: string): Promise<CasdoorRole | undefined>;
  /** Changes these fields of a user, and no others. */
  updateUser(user: CasdoorUser, fields: Readonly<Record<string, string>>): Promise<void>;
  deleteUser(user: CasdoorUser): Promise<void>;
  organizations(options: PageOptions): Promise<Page<CasdoorOrganization>>;
  groups(organization: string, options: PageOptions): Promise<Page<CasdoorGroup>>;
  /** In the order of their ids, and without their roles. */
  users(organization: string, options: PageOptions): Promise<Page<CasdoorUser>>;
  /** All roles of an organization, each with its members. */
  roles(organization: string, signal?: AbortSignal): Promise<readonly CasdoorRole[]>;
}

const TIMEOUT_MS = 10_000;
/** There is no such role. Asking for it costs one look-up by key, and needs the right secret. */
const NO_ROLE = 'built-in/-';

/** A client of Casdoor's API, which takes the application's Client ID and secret as HTTP Basic. */
export function createCasdoorApi({
  endpoint,
  clientId,
  clientSecret,
}: Pick<CasdoorConfig, 'endpoint' | 'clientId' | 'clientSecret'>): CasdoorApi {
  const headers = {
    authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    accept: 'application/json',
  };

  const send = fetchWithoutRedirects('CASDOOR_ENDPOINT');

  async function call(
    path: string,
    query: Record<string, string>,
    signal?: AbortSignal,
    post?: Record<string, unknown>,
  ) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const url = `${endpoint}/api/${path}?${new URLSearchParams(query)}`;
    let response: Response;
    let body: string;
    try {
      response = await send(url, {
        headers: { ...headers, ...(post !== undefined && { 'content-type': 'application/json' }) },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        ...(post !== undefined && { method: 'POST', body: JSON.stringify(post) }),
      });
      body = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof RedirectError) {
        throw new LatchkeyError('provider-unreachable', `${cause.message}.`);
      }
      throw failed(path, 'does not come back', new PassingError('no answer', { cause }));
    }
    if (response.status === 429 || response.status >= 500) {
      // Not Casdoor's own, but those of what may stand before it.
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      const cause = new PassingError(`status ${response.status}`);
      if (seconds >= 0) cause.retryAfter = seconds;
      throw failed(path, `comes back with status ${response.status}`, cause);
    }
    const answer = ANSWER.safeParse(parsePayload(body).value);
    // Casdoor's own message is left out, for it may name somebody.
    if (!answer.success || !response.ok) {
      throw failed(path, `is refused (status ${response.status})`, new RefusalError('refused'));
    }
    return answer.data;
  }

  async function find<T>(schema: z.ZodType<T>, path: string, query: Record<string, string>) {
    const { data } = await call(path, query);
    return data === null ? undefined : parse(schema, path, data);
  }

  /** A user with all that Casdoor tells of them: it wants to be sent the whole of it. */
  async function wholeUser({ owner, name, id: userId }: CasdoorUser): Promise<Record<string, unknown>> {
    const user = await find(z.record(z.string(), z.unknown()), 'get-user', { id: `${owner}/${name}` });
    // Sent back, it would be written over, or deleted: it must be the one that was found.
    if (user?.id !== userId || user.owner !== owner || user.name !== name) throw anotherUser();
    return user;
  }

  async function list<T>(
    schema: z.ZodType<T>,
    path: string,
    query: Record<string, string>,
    { page, size, signal }: PageOptions,
  ): Promise<Page<T>> {
    // With only one of p and pageSize, everything would come at once.
    const paged = { ...query, p: String(page), pageSize: String(size), sortOrder: 'ascend' };
    const { data, data2 } = await patiently(() => call(path, paged, signal), passing, signal);
    const items = parse(z.array(schema).nullable(), path, data) ?? [];
    return { items, total: parse(z.int(), path, data2) };
  }

  return {
    async findUser(who) {
      const { owner } = who;
      const query: Record<string, string> =
        'userId' in who ? { owner, userId: who.userId } : { id: `${owner}/${who.name}` };
      // A wrong secret is not refused but ignored, and get-user answers anybody: only with less in it.
      const [user] = await Promise.all([find(USER, 'get-user', query), call('get-role', { id: NO_ROLE })]);
      if (user === undefined) return undefined;
      const isAsked = 'userId' in who ? user.id === who.userId : user.name === who.name;
      if (user.owner !== owner || !isAsked) throw anotherUser();
      return user;
    },
    findOrganization: (name) => find(ORGANIZATION, 'get-organization', { id: `admin/${name}` }),
    findGroup: (name) => find(GROUP, 'get-group', { id: name }),
    findRole: (name) => find(ROLE, 'get-role', { id: name }),
    async updateUser(user, fields) {
      // Columns go by the names of the database; later versions may take those of the JSON.
      const columns = Object.keys(fields).flatMap((name) => [
        name,
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      ]);
      const query = { id: `${user.owner}/${user.name}`, columns: columns.join(',') };
      await call('update-user', query, undefined, { ...(await wholeUser(user)), ...fields });
    },
    async deleteUser(user) {
      await call('delete-user', {}, undefined, await wholeUser(user));
    },
    organizations: (options) =>
      list(ORGANIZATION, 'get-organizations', { owner: 'admin', sortField: 'name' }, options),
    groups: (owner, options) => list(GROUP, 'get-groups', { owner, sortField: 'name' }, options),
    users: (owner, options) => list(USER, 'get-users', { owner, sortField: 'id' }, options),
    async roles(owner, signal) {
      const { data } = await patiently(() => call('get-roles', { owner }, signal), passing, signal);
      return parse(z.array(ROLE).nullable(), 'get-roles', data) ?? [];
    },
  };
}

/** Versions that do not know `owner` beside `userId` answer with whoever of any organization has the id. */
function anotherUser(): LatchkeyError {
  return failed(
    'get-user',
    'comes back with another user than was asked for; use a later version of Casdoor',
  );
}

function parse<T>(schema: z.ZodType<T>, path: string, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw failed(path, 'comes back in another shape than expected');
  return parsed.data;
}

class RefusalError extends Error {
  override readonly name = 'RefusalError';
}

/** Whether Casdoor answered, and the answer was an error. */
export function isRefusal(error: unknown): boolean {
  return error instanceof LatchkeyError && error.cause instanceof RefusalError;
}

/** Why a call may do better next time. */
class PassingError extends Error implements Passing {
  override readonly name = 'PassingError';
  retryAfter?: number;
}

function passing(error: unknown): Passing | undefined {
  return error instanceof LatchkeyError && error.cause instanceof PassingError ? error.cause : undefined;
}

function failed(path: string, what: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError(
    'provider-unreachable',
    `Casdoor’s ${path} ${what}: check CASDOOR_ENDPOINT, CASDOOR_CLIENT_ID and CASDOOR_CLIENT_SECRET.`,
    { cause },
  );
}
