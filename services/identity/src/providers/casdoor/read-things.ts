import { deletedOrganization, type IdentityRecord, type Instant } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import type { CasdoorApi } from './api.ts';
import type { ThingHint, UserHint } from './hint.ts';
import { findLivingGroup, isKept, type Kept, organizationOf } from './lookup.ts';
import { SharedIdError, type UsersRead } from './read-users.ts';
import { groupRecord, organizationRecord } from './records.ts';

/**
 * How many users are read again when a role changes. More would not be done within the 30 seconds that
 * Casdoor waits; a reconcile, begun at once, reads the rest.
 */
export const MOST_READ_AT_ONCE = 50;
const READS_AT_ONCE = 5;

/** What there is to say of a hint; `isPartial`: there is more than this. */
export interface Found extends UsersRead {
  readonly isPartial?: boolean;
}

/** Makes the function that reads an organization, or a group (`<organization>/<group>`), by its id here. */
export function casdoorPlaceReader(
  api: CasdoorApi,
  now: () => Instant,
): (id: string) => Promise<IdentityRecord[]> {
  return async (id) => {
    const clock = now();
    if (id.includes('/')) {
      const group = await findLivingGroup(api, id);
      return [group === undefined ? goneAt(id, clock) : groupRecord(group, clock)];
    }
    const organization = await api.findOrganization(id);
    return [organization === undefined ? goneAt(id, clock) : organizationRecord(organization, clock)];
  };
}

function goneAt(id: string, clock: Instant): IdentityRecord {
  const organization = { provider: 'casdoor', tenant: organizationOf(id), id } as const;
  return deletedOrganization(organization, clock, { onlyIfStored: true });
}

/** Makes the function that reads what a hint of an organization, a group or a role may be about. */
export function casdoorThingReader({
  config,
  api,
  stored,
  readPlace,
  readUsers,
}: {
  readonly config: Kept;
  readonly api: CasdoorApi;
  readonly stored: StoredState;
  readonly readPlace: (id: string) => Promise<IdentityRecord[]>;
  readonly readUsers: (hint: UserHint) => Promise<UsersRead>;
}): (hint: ThingHint) => Promise<Found> {
  /** A role is no record of its own: whoever has it is read again, and whoever is stored with it. */
  async function readRole(fullName: string): Promise<Found> {
    const tenant = organizationOf(fullName);
    const name = fullName.slice(tenant.length + 1);
    const before = await stored.usersWithRole({ provider: 'casdoor', tenant }, name, MOST_READ_AT_ONCE + 1);
    const members = await membersOf(fullName);
    const hints: UserHint[] = [
      ...before.map((id) => ({ kind: 'user' as const, ids: [id], names: [], seen: undefined })),
      ...members.map((one) => ({ kind: 'user' as const, ids: [], names: [one], seen: undefined })),
    ];
    const records: IdentityRecord[] = [];
    for (let from = 0; from < Math.min(hints.length, MOST_READ_AT_ONCE); from += READS_AT_ONCE) {
      const some = hints.slice(from, Math.min(from + READS_AT_ONCE, MOST_READ_AT_ONCE));
      const read = await Promise.all(some.map((hint) => readUsers(hint).catch(nobodyIfShared)));
      records.push(...read.flatMap((one) => one.records));
    }
    // That somebody is not there any more is not this role's to tell: they may have moved.
    const present = records.filter((record) => record.kind !== 'user' || !record.deleted);
    const isPartial = hints.length > MOST_READ_AT_ONCE || present.length < records.length;
    return { records: present, isPartial };
  }

  /**
   * The users of a role, of its groups and of the roles that it contains, as far as they are of its own
   * organization: in another one its word does not count.
   * @returns `<organization>/<name>` of each, or only of more than can be read at once
   */
  async function membersOf(fullName: string): Promise<string[]> {
    const own = (names: readonly string[]) =>
      names.filter(
        (name) => /^[^/]+\/[^/]+$/.test(name) && organizationOf(name) === organizationOf(fullName),
      );
    const members = new Set<string>();
    const roles = new Set([fullName]);
    for (const name of roles) {
      const role = await api.findRole(name);
      for (const user of own(role?.users ?? [])) members.add(user);
      for (const group of own(role?.groups ?? [])) {
        if (members.size > MOST_READ_AT_ONCE) break;
        for (const user of own((await api.findGroup(group))?.users ?? [])) members.add(user);
      }
      if (members.size > MOST_READ_AT_ONCE) break;
      for (const part of own(role?.roles ?? [])) roles.add(part);
    }
    return [...members];
  }

  return async ({ kind, names }) => {
    const wanted = names.filter((name) => isKept(config, organizationOf(name)));
    const found = await Promise.all(
      wanted.map(async (name): Promise<Found> => {
        if (kind === 'role') return readRole(name);
        const records = await readPlace(name);
        // Its people are in another one now, or in none.
        return { records, isPartial: records.some(({ deleted }) => deleted) };
      }),
    );
    return {
      records: found.flatMap(({ records }) => records),
      isPartial: found.some(({ isPartial }) => isPartial === true),
    };
  };
}

/** One who must not be written does not keep the others of a role from it: reconciles name them. */
function nobodyIfShared(error: unknown): UsersRead {
  if (!(error instanceof SharedIdError)) throw error;
  return { records: [] };
}
