import {
  deletedOrganization,
  deletedUser,
  type IdentityRecord,
  type Instant,
  type Owner,
} from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import { createRecentAbsences } from '#providers/recent-absences.ts';
import type { CognitoApi } from './api.ts';
import { keepsGroup, keepsUser, type PoolConfig, SEARCH_LAG_MS } from './pool.ts';
import { membershipRecord, organizationId, organizationRecord, userRecord } from './records.ts';

/**
 * How many users are read again when their group is deleted. More would take longer than the sender
 * waits, and more than Cognito's quota; a reconcile, begun at once, reads the rest.
 */
const MOST_READ_AT_ONCE = 25;

/** What a delivery says of a user besides their sub. */
export interface UserHint {
  /** Whether the profile may have changed just now, so that the search must not be trusted. */
  readonly exact: boolean;
  /** Whether it shows that the user has confirmed their sign-up. */
  readonly isConfirmed?: boolean;
  readonly userName?: string | undefined;
  /** The group that the user has joined or left. */
  readonly groupName?: string | undefined;
  /** When the user was seen. */
  readonly seen?: Instant;
}

/** What a pool says now; `isPartial`: there is more than this. */
export interface ReadFromPool {
  readonly isThere: boolean;
  readonly records: readonly IdentityRecord[];
  readonly isPartial?: boolean;
}

export interface PoolReader {
  readonly userPoolId: string;
  /** The user as they are now, with their memberships; or their deletion, where there is none that is kept. */
  readUser(sub: string, hint: UserHint): Promise<ReadFromPool>;
  /** A group as it is now; where it is gone, those who were in it too. */
  readGroup(name: string): Promise<ReadFromPool>;
}

/** Makes what reads a pool for deliveries. What is found is written as of the instant the reading began. */
export function createPoolReader(
  config: PoolConfig,
  api: CognitoApi,
  stored: StoredState,
  now: () => Instant,
): PoolReader {
  const { userPoolId } = config;
  const owner: Owner = { provider: 'cognito', tenant: userPoolId };
  const absences = createRecentAbsences();

  /**
   * Whether the user's row is of the time that the search may not show yet. What it shows would be
   * written over what is newer, for the record's clock is this reading's.
   */
  async function isFresh(sub: string, clock: Instant): Promise<boolean> {
    const row = await stored.ownerOf(sub);
    return row !== undefined && clock - row.clock < SEARCH_LAG_MS;
  }

  async function readUser(sub: string, hint: UserHint): Promise<ReadFromPool> {
    const clock = now();
    // The order of readings, which must not depend on a clock that may be set back.
    const began = performance.now();
    const user = await api.findUser({ sub, userName: hint.userName, exact: hint.exact });
    const isKept = user !== undefined && (hint.isConfirmed === true || keepsUser(config, user));
    const groups = isKept ? await api.groupsOf(user) : undefined;
    // Asked only now, for another delivery may have been written meanwhile. And who has just confirmed
    // their sign-up is unconfirmed to the search for a while.
    if (user?.mayLag === true && (!isKept || (await isFresh(sub, clock)))) {
      return readUser(sub, { ...hint, exact: true });
    }
    if (user === undefined || groups === undefined) {
      absences.note(sub, began);
      const gone = deletedUser({ ...owner, id: sub }, clock, { onlyIfStored: true });
      return { isThere: false, records: [gone] };
    }
    const before = await stored.organizationsOf({ provider: 'cognito', id: sub }, [userPoolId]);
    if (absences.hasSince(sub, began)) return readUser(sub, { ...hint, exact: true });

    const kept = groups.filter(({ name }) => keepsGroup(config, name));
    const names = kept.map(({ name }) => name);
    const ended = new Set(before.map(({ id }) => id));
    // The call that ends a membership names its group, even if the membership is only just being stored.
    const { groupName } = hint;
    if (groupName !== undefined && keepsGroup(config, groupName)) {
      ended.add(organizationId(userPoolId, groupName));
    }
    for (const name of names) ended.delete(organizationId(userPoolId, name));
    const searchedAt = user.mayLag ? clock - SEARCH_LAG_MS : clock;
    const record = userRecord(user, { groups: names, clock, searchedAt }, config);
    const records = [
      { ...record, lastSeen: Math.max(record.lastSeen, Math.min(hint.seen ?? 0, clock)) },
      ...kept.map((group) => organizationRecord(userPoolId, group, clock)),
      ...names.map((name) =>
        membershipRecord(userPoolId, { organization: organizationId(userPoolId, name), sub }, clock),
      ),
      ...[...ended].map((organization) => membershipRecord(userPoolId, { organization, sub }, clock, true)),
    ];
    return { isThere: true, records };
  }

  return {
    userPoolId,
    readUser,
    async readGroup(name) {
      const clock = now();
      const group = keepsGroup(config, name) ? await api.findGroup(name) : undefined;
      if (group !== undefined) {
        return { isThere: true, records: [organizationRecord(userPoolId, group, clock)] };
      }
      // Cognito tells of each change of a membership, but not of those that end with their group.
      const members = await stored.usersWithRole(owner, name, MOST_READ_AT_ONCE + 1);
      const id = organizationId(userPoolId, name);
      const records: IdentityRecord[] = [
        deletedOrganization({ ...owner, id }, clock, { onlyIfStored: true }),
      ];
      for (const sub of members.slice(0, MOST_READ_AT_ONCE)) {
        records.push(...(await readUser(sub, { exact: false })).records);
      }
      return { isThere: false, records, isPartial: members.length > MOST_READ_AT_ONCE };
    },
  };
}
