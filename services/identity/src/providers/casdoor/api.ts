import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { fetchWithoutRedirects, RedirectError } from '@latchkey/core/redirects';
import { z } from 'zod';
import { parsePayload } from '#core/payload.ts';
import type { UnreadableItem } from '#providers/provider.ts';
import { type TransientFailure, withRetry } from '#providers/with-retry.ts';
import type { CasdoorConfig } from './settings.ts';
import {
  type CasdoorGroup,
  type CasdoorOrganization,
  type CasdoorRole,
  type CasdoorUser,
  GROUP,
  type Items,
  type Kind,
  ORGANIZATION,
  ROLE,
  readItems,
  USER,
  unreadableItem,
} from './shapes.ts';

/** Errors too come with status 200, and say so only here. */
const ANSWER = z.object({ status: z.literal('ok'), data: z.unknown(), data2: z.unknown().optional() });

/** Whom to ask for: by the id, which is unique in the organization at most, or by the name. */
export type UserPlace =
  | { readonly owner: string; readonly userId: string }
  | { readonly owner: string; readonly name: string };

export interface Page<T> extends Items<T> {
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
 * One thing that cannot be read is such an error too; see {@link unreadableIn}.
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
  updateUser(user: CasdoorUser, fields: Readonly<Record<string, string | boolean>>): Promise<void>;
  deleteUser(user: CasdoorUser): Promise<void>;
  /** The users of an organization who have this id: Casdoor lets there be several. */
  usersWithId(organization: string, id: string): Promise<readonly CasdoorUser[]>;
  organizations(options: PageOptions): Promise<Page<CasdoorOrganization>>;
  groups(organization: string, options: PageOptions): Promise<Page<CasdoorGroup>>;
  /** In the order of their ids, and without their roles. */
  users(organization: string, options: PageOptions): Promise<Page<CasdoorUser>>;
  /** All roles of an organization, each with its members. */
  roles(organization: string, signal?: AbortSignal): Promise<Items<CasdoorRole>>;
  /** The same, for whoever waits. */
  findRoles(organization: string): Promise<Items<CasdoorRole>>;
}

const TIMEOUT_MS = 10_000;
/** There is no such role. Asking for it costs one look-up by key, and needs the right secret. */
const NO_ROLE = 'built-in/-';
/** Of those whose id holds another one. */
const MOST_ALIKE = 100;

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
      const reason = networkCause(cause) ?? 'the connection failed';
      throw failed(`does not answer: ${reason}. Check CASDOOR_ENDPOINT`, new PassingError(reason, { cause }));
    }
    if (response.status === 429 || response.status >= 500) {
      // Not Casdoor's own, but those of what may stand before it.
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      const cause = new PassingError(`status ${response.status}`);
      if (seconds >= 0) cause.retryAfter = seconds;
      const fix = 'Look at what stands before Casdoor, and check CASDOOR_ENDPOINT';
      throw failed(`answers ${path} with status ${response.status}. ${fix}`, cause);
    }
    const answer = ANSWER.safeParse(parsePayload(body).value);
    // Casdoor's own message is left out, for it may name somebody.
    if (!answer.success || !response.ok) {
      const settings = 'CASDOOR_ENDPOINT, CASDOOR_CLIENT_ID and CASDOOR_CLIENT_SECRET';
      throw failed(
        `refuses ${path} (status ${response.status}). Check ${settings}`,
        new RefusalError('refused'),
      );
    }
    return answer.data;
  }

  async function find<T>(kind: Kind, schema: z.ZodType<T>, query: Record<string, string>) {
    const { data } = await call(`get-${kind}`, query);
    if (data === null) return undefined;
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const item = unreadableItem(kind, data, parsed.error);
    throw failed(`answers get-${kind} with what cannot be read: ${item.reason}`, new UnreadableError(item));
  }

  /** A user with all that Casdoor tells of them: it wants to be sent the whole of it. */
  async function wholeUser({ owner, name, id: userId }: CasdoorUser): Promise<Record<string, unknown>> {
    const user = await find('user', z.record(z.string(), z.unknown()), { id: `${owner}/${name}` });
    // Sent back, it would be written over, or deleted: it must be the one that was found.
    if (user?.id !== userId || user.owner !== owner || user.name !== name) throw anotherUser();
    return user;
  }

  async function list<T>(
    kind: Kind,
    schema: z.ZodType<T>,
    query: Record<string, string>,
    { page, size, signal }: PageOptions,
  ): Promise<Page<T>> {
    const path = `get-${kind}s`;
    // With only one of p and pageSize, everything would come at once.
    const paged = { ...query, p: String(page), pageSize: String(size), sortOrder: 'ascend' };
    const { data, data2 } = await withRetry(() => call(path, paged, signal), passing, signal);
    const total = z.int().safeParse(data2).data;
    if (total === undefined) throw odd(path);
    return { ...itemsOf(kind, schema, data), total };
  }

  function itemsOf<T>(kind: Kind, schema: z.ZodType<T>, data: unknown): Items<T> {
    const listed = z.array(z.unknown()).nullable().safeParse(data).data;
    if (listed === undefined) throw odd(`get-${kind}s`);
    return readItems(schema, kind, listed ?? []);
  }

  /** The address is told, never the query, which may name somebody. */
  function failed(what: string, cause?: unknown): LatchkeyError {
    return new LatchkeyError('provider-unreachable', `Casdoor at ${endpoint} ${what}.`, { cause });
  }

  function odd(path: string): LatchkeyError {
    const advice = 'make sure that CASDOOR_ENDPOINT is Casdoor’s own address';
    return failed(`answers ${path} in another shape than expected: ${advice}`);
  }

  /** Versions that do not know `owner` beside `userId` answer with whoever of any organization has the id. */
  function anotherUser(): LatchkeyError {
    return failed('answers get-user with another user than was asked for: use a later version of it');
  }

  return {
    async findUser(who) {
      const { owner } = who;
      const query: Record<string, string> =
        'userId' in who ? { owner, userId: who.userId } : { id: `${owner}/${who.name}` };
      // A wrong secret is not refused but ignored, and get-user answers anybody: only with less in it.
      const [user] = await Promise.all([find('user', USER, query), call('get-role', { id: NO_ROLE })]);
      if (user === undefined) return undefined;
      const isAsked = 'userId' in who ? user.id === who.userId : user.name === who.name;
      if (user.owner !== owner || !isAsked) throw anotherUser();
      return user;
    },
    findOrganization: (name) => find('organization', ORGANIZATION, { id: `admin/${name}` }),
    findGroup: (name) => find('group', GROUP, { id: name }),
    findRole: (name) => find('role', ROLE, { id: name }),
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
    async usersWithId(owner, id) {
      // Casdoor gives whoever's id holds it: those who have it come first, or nearly so.
      const query = { owner, field: 'id', value: id, sortField: 'id', sortOrder: 'ascend' };
      const paged = { ...query, p: '1', pageSize: String(MOST_ALIKE) };
      const { data } = await call('get-users', paged);
      return itemsOf('user', USER, data).items.filter((user) => user.id === id && user.owner === owner);
    },
    organizations: (options) =>
      list('organization', ORGANIZATION, { owner: 'admin', sortField: 'name' }, options),
    groups: (owner, options) => list('group', GROUP, { owner, sortField: 'name' }, options),
    users: (owner, options) => list('user', USER, { owner, sortField: 'id' }, options),
    async roles(owner, signal) {
      const { data } = await withRetry(() => call('get-roles', { owner }, signal), passing, signal);
      return itemsOf('role', ROLE, data);
    },
    async findRoles(owner) {
      const { data } = await call('get-roles', { owner });
      return itemsOf('role', ROLE, data);
    },
  };
}

class RefusalError extends Error {
  override readonly name = 'RefusalError';
}

/** Whether Casdoor answered, and the answer was an error. */
export function isRefusal(error: unknown): boolean {
  return error instanceof LatchkeyError && error.cause instanceof RefusalError;
}

class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  readonly item: UnreadableItem;

  constructor(item: UnreadableItem) {
    super(item.reason);
    this.item = item;
  }
}

/** The one thing that Casdoor answered with and that cannot be read; undefined for any other error. */
export function unreadableIn(error: unknown): UnreadableItem | undefined {
  return error instanceof LatchkeyError && error.cause instanceof UnreadableError
    ? error.cause.item
    : undefined;
}

/** Why a call may do better next time. */
class PassingError extends Error implements TransientFailure {
  override readonly name = 'PassingError';
  retryAfter?: number;

  get reason(): string {
    return this.message;
  }
}

function passing(error: unknown): TransientFailure | undefined {
  return error instanceof LatchkeyError && error.cause instanceof PassingError ? error.cause : undefined;
}
