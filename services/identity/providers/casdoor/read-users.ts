import {
  deletedMembership,
  deletedUser,
  type IdentityRecord,
  type Instant,
  mayHaveMoved,
  type UserRecord,
} from '../../core/records.ts';
import type { StoredState } from '../../core/stored-state.ts';
import { createRecentAbsences } from '../recent-absences.ts';
import type { CasdoorApi, CasdoorUser } from './api.ts';
import type { UserHint } from './hint.ts';
import { casdoorDeparture, casdoorUserFinder, isKept, type Kept, organizationOf } from './lookup.ts';
import { membershipRecords, userRecord } from './records.ts';

const PROVIDER = 'casdoor';

export interface UserReaderOptions {
  readonly config: Kept;
  readonly api: CasdoorApi;
  readonly stored: StoredState;
  readonly now: () => Instant;
  /** Reads an organization or group that a user is new to, for it may be new here too. */
  readonly readJoined: (id: string) => Promise<readonly IdentityRecord[]>;
}

/**
 * Makes the function that reads the users whom a hint may mean. An id is only what the recorded request
 * said, and nobody's alone: it counts in the organization that its row is of, or that the hint names.
 *
 * @returns the records of whoever the hint finds; the first is the user it is about
 */
export function casdoorUserReader({
  config,
  api,
  stored,
  now,
  readJoined,
}: UserReaderOptions): (hint: UserHint) => Promise<IdentityRecord[]> {
  const findUser = casdoorUserFinder(api);
  const hasLeft = casdoorDeparture(api);
  const absences = createRecentAbsences();
  const placeOf = (owner: string, id: string) => JSON.stringify([owner, id]);

  async function readUsers(hint: UserHint): Promise<IdentityRecord[]> {
    const clock = now();
    const found = new Map<string, CasdoorUser>();
    const gone: { tenant: string; id: string }[] = [];
    for (const id of hint.ids) {
      for (const owner of await ownersOf(id, hint)) {
        const user = await findUser({ owner, userId: id });
        if (user !== undefined) found.set(`${owner}/${user.name}`, user);
        else gone.push({ tenant: owner, id });
      }
    }
    for (const fullName of hint.names) {
      const owner = organizationOf(fullName);
      if (found.has(fullName) || !isKept(config, owner)) continue;
      const user = await findUser({ owner, name: fullName.slice(owner.length + 1) });
      if (user !== undefined) found.set(fullName, user);
    }

    const users = [...found.values()];
    for (const { tenant, id } of gone) absences.note(placeOf(tenant, id), clock);
    const seen = Math.min(hint.seen ?? 0, clock);
    const states = await Promise.all(users.map((user) => stateOf(user, clock, seen)));
    // Meanwhile another delivery has not found one of them any more.
    if (users.some(({ owner, id }) => absences.hasSince(placeOf(owner, id), clock))) return readUsers(hint);
    // Who is found elsewhere has moved, and takes their row along.
    const ended = gone.filter(({ id }) => !users.some((user) => user.id === id));
    return [
      ...states.flat(),
      ...ended.map((person) => deletedUser({ provider: PROVIDER, ...person }, clock, { onlyIfStored: true })),
    ];
  }

  /** In which organizations to look for an id: where the hint says or, if it does not, where its row is. */
  async function ownersOf(id: string, { names, owners: named = [] }: UserHint): Promise<string[]> {
    const owners = new Set([...names.map(organizationOf), ...named]);
    if (owners.size === 0) {
      const row = await stored.ownerOf(id);
      if (row?.provider === PROVIDER && row.tenant !== '') owners.add(row.tenant);
    }
    return [...owners].filter((owner) => isKept(config, owner));
  }

  async function stateOf(user: CasdoorUser, clock: Instant, seen: Instant): Promise<IdentityRecord[]> {
    const record = userRecord(user, clock);
    const previousTenant = await tenantLeft(record);
    const tenants = [user.owner, ...(previousTenant === undefined ? [] : [previousTenant])];
    const before = await stored.organizationsOf({ provider: PROVIDER, id: user.id }, tenants);
    const memberships = membershipRecords(user, clock);
    const present = new Set(memberships.map(({ organizationId }) => organizationId));
    const known = new Set(before.map(({ id }) => id));
    const joined = await Promise.all([...present].filter((id) => !known.has(id)).map(readJoined));
    const ended = before.filter(({ id }) => !present.has(id));
    return [
      {
        ...record,
        lastSeen: Math.max(record.lastSeen, seen),
        ...(previousTenant !== undefined && { previousTenant }),
      },
      ...memberships,
      ...joined.flat(),
      ...ended.map(({ id: organizationId, tenant }) =>
        deletedMembership({ provider: PROVIDER, tenant, organizationId, userId: user.id }, clock),
      ),
    ];
  }

  /** @returns the organization that the user's row is of, if they have moved: if their place there is empty */
  async function tenantLeft(user: UserRecord): Promise<string | undefined> {
    const { id, tenant } = user;
    const row = await stored.ownerOf(id);
    if (row?.provider !== PROVIDER || row.tenant === tenant || !mayHaveMoved(user, row)) return undefined;
    return (await hasLeft({ tenant: row.tenant, id })) ? row.tenant : undefined;
  }
  return readUsers;
}
