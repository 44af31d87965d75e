import {
  deletedMembership,
  deletedUser,
  type IdentityRecord,
  type Instant,
  mayHaveMoved,
  type UserRecord,
} from '#core/records.ts';
import type { StoredOwner, StoredState } from '#core/stored-state.ts';
import { createRecentAbsences } from '#providers/recent-absences.ts';
import { type CasdoorApi, type UserPlace, unreadableIn } from './api.ts';
import type { UserHint } from './hint.ts';
import { casdoorDeparture, casdoorUserFinder, isKept, type Kept, organizationOf } from './lookup.ts';
import { membershipRecords, ownGroups, userRecord } from './records.ts';
import type { CasdoorUser } from './shapes.ts';

const PROVIDER = 'casdoor';

export interface UserReaderOptions {
  readonly config: Kept;
  readonly api: CasdoorApi;
  readonly stored: StoredState;
  readonly now: () => Instant;
  /** Reads an organization or group that a user is new to, for it may be new here too; or may not be there. */
  readonly readJoined: (id: string) => Promise<readonly IdentityRecord[]>;
}

/** What was found of whom a hint may mean. */
export interface UsersRead {
  /** The first is the user that the hint is about. */
  readonly records: readonly IdentityRecord[];
  /** Why somebody whom it may mean cannot be read; whoever else it means is among the records. */
  readonly unreadable?: string | undefined;
}

/** Nothing at Casdoor keeps two users of an organization from having one id, and a row cannot be both. */
export class SharedIdError extends Error {
  override readonly name = 'SharedIdError';
  readonly tenant: string;
  readonly id: string;

  constructor(tenant: string, id: string) {
    super(`Two users of ${tenant} have this id at Casdoor: ${SHARED_ID_FIX}.`);
    this.tenant = tenant;
    this.id = id;
  }
}

export const SHARED_ID_FIX = 'give one of them another (docs/casdoor.md, Ids)';

/**
 * Makes the function that reads the users whom a hint may mean. An id is only what the recorded request
 * said, and nobody's alone: it counts in the organization that its row is of, or that the hint names.
 *
 * @throws SharedIdError, and LatchkeyError `provider-unreachable`
 */
export function casdoorUserReader({
  config,
  api,
  stored,
  now,
  readJoined,
}: UserReaderOptions): (hint: UserHint) => Promise<UsersRead> {
  const findUser = casdoorUserFinder(api);
  const hasLeft = casdoorDeparture(api);
  const absences = createRecentAbsences();
  const placeOf = (owner: string, id: string) => JSON.stringify([owner, id]);

  async function readUsers(hint: UserHint): Promise<UsersRead> {
    const clock = now();
    // The order of readings, which must not depend on a clock that may be set back.
    const began = performance.now();
    const found = new Map<string, CasdoorUser>();
    const gone: { tenant: string; id: string }[] = [];
    let unreadable: string | undefined;
    const look = async (who: UserPlace): Promise<boolean> => {
      try {
        const user = await findUser(who);
        if (user !== undefined) found.set(`${user.owner}/${user.name}`, user);
        return user !== undefined;
      } catch (error) {
        unreadable = unreadableIn(error)?.reason;
        if (unreadable === undefined) throw error;
        return true;
      }
    };
    for (const id of hint.ids) {
      for (const owner of await ownersOf(id, hint)) {
        if (!(await look({ owner, userId: id }))) gone.push({ tenant: owner, id });
      }
    }
    for (const fullName of hint.names) {
      const owner = organizationOf(fullName);
      if (found.has(fullName) || !isKept(config, owner)) continue;
      await look({ owner, name: fullName.slice(owner.length + 1) });
    }

    const users = [...found.values()];
    refuseSharedIds(users);
    for (const { tenant, id } of gone) absences.note(placeOf(tenant, id), began);
    const seen = Math.min(hint.seen ?? 0, clock);
    const states = await Promise.all(users.map((user) => stateOf(user, clock, seen)));
    // Meanwhile another delivery has not found one of them any more.
    if (users.some(({ owner, id }) => absences.hasSince(placeOf(owner, id), began))) return readUsers(hint);
    // Who is found elsewhere has moved, and takes their row along.
    const ended = gone.filter(({ id }) => !users.some((user) => user.id === id));
    return {
      records: [
        ...states.flat(),
        ...ended.map((person) =>
          deletedUser({ provider: PROVIDER, ...person }, clock, { onlyIfStored: true }),
        ),
      ],
      unreadable,
    };
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
    const row = await stored.ownerOf(user.id);
    await refuseSecondOf(user, row);
    const record = userRecord(config, user, clock);
    const previousTenant = await tenantLeft(record, row);
    const tenants = [user.owner, ...(previousTenant === undefined ? [] : [previousTenant])];
    const before = await stored.organizationsOf({ provider: PROVIDER, id: user.id }, tenants);
    const known = new Set(before.map(({ id }) => id));
    const joined = await Promise.all(
      [user.owner, ...ownGroups(user)].filter((id) => !known.has(id)).map(readJoined),
    );
    const missing = new Set(joined.flat().flatMap((one) => (hasEnded(one) ? [one.id] : [])));
    const memberships = membershipRecords(user, clock, (group) => !missing.has(group));
    const present = new Set(memberships.map(({ organizationId }) => organizationId));
    const ended = before.filter(({ id }) => !present.has(id));
    return [
      {
        ...record,
        lastSeen: Math.max(record.lastSeen, seen),
        ...(previousTenant !== undefined && { previousTenant }),
      },
      ...memberships,
      ...joined.flat().filter((one) => !hasEnded(one)),
      ...ended.map(({ id: organizationId, tenant }) =>
        deletedMembership({ provider: PROVIDER, tenant, organizationId, userId: user.id }, clock),
      ),
    ];
  }

  /** @returns the organization that the user's row is of, if they have moved: if their place there is empty */
  async function tenantLeft(user: UserRecord, row: StoredOwner | undefined): Promise<string | undefined> {
    if (row?.provider !== PROVIDER || row.tenant === user.tenant || !mayHaveMoved(user, row))
      return undefined;
    return (await hasLeft({ tenant: row.tenant, id: user.id })) ? row.tenant : undefined;
  }

  /** Whoever has another name than their row was renamed, unless that name is somebody's who has the id too. */
  async function refuseSecondOf(user: CasdoorUser, row: StoredOwner | undefined): Promise<void> {
    if (row?.provider !== PROVIDER || row.tenant !== user.owner || row.deleted) return;
    const { username } = row;
    if (username === undefined || username === null || username === user.name || username.includes('/'))
      return;
    const other = await findUser({ owner: user.owner, name: username });
    if (other !== undefined) refuseSharedIds([user, other]);
  }
  return readUsers;
}

function hasEnded(record: IdentityRecord): record is Extract<IdentityRecord, { kind: 'organization' }> {
  return record.kind === 'organization' && record.deleted;
}

function refuseSharedIds(users: readonly CasdoorUser[]): void {
  for (const [index, { owner, id }] of users.entries()) {
    const isShared = users.slice(index + 1).some((other) => other.owner === owner && other.id === id);
    if (isShared) throw new SharedIdError(owner, id);
  }
}
