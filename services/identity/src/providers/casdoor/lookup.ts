import { type Instant, UNCERTAIN_TENANT } from '#core/records.ts';
import type { Directory } from '#providers/provider.ts';
import { type CasdoorApi, isRefusal, type UserPlace } from './api.ts';
import { groupRecord, membershipRecords, organizationRecord, userRecord } from './records.ts';
import { rolesHeld } from './role-names.ts';
import type { CasdoorConfig } from './settings.ts';
import type { CasdoorGroup, CasdoorUser } from './shapes.ts';

export type Kept = Pick<CasdoorConfig, 'organizations' | 'properties'>;

/** Whether an organization is one of those that are kept in step. */
export const isKept = (
  { organizations }: Pick<CasdoorConfig, 'organizations'>,
  organization: string,
): boolean => organizations.length === 0 || organizations.includes(organization);

/** Makes the function that finds a user of one organization; undefined where it has no such user. */
export function casdoorUserFinder(api: CasdoorApi): (who: UserPlace) => Promise<CasdoorUser | undefined> {
  return async (who) => {
    try {
      const user = await api.findUser(who);
      return user && (await withOwnRoles(user));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Casdoor keeps the users of a deleted organization, and answers for them with an error.
      if ((await api.findOrganization(who.owner)) === undefined) return undefined;
      throw error;
    }
  };

  /**
   * Where a role of another organization names the user, Casdoor may tell the roles of that organization
   * and none of their own: whoever administers any organization could take everybody's roles away.
   */
  async function withOwnRoles(user: CasdoorUser): Promise<CasdoorUser> {
    if (user.roles.every(({ owner }) => owner === user.owner)) return user;
    const { items } = await api.findRoles(user.owner);
    return { ...user, roles: rolesHeld(items)(user) };
  }
}

/** A group of an organization that is there: Casdoor keeps the groups of a deleted one, as it does its users. */
export async function findLivingGroup(api: CasdoorApi, name: string): Promise<CasdoorGroup | undefined> {
  const [group, organization] = await Promise.all([
    api.findGroup(name),
    api.findOrganization(organizationOf(name)),
  ]);
  return organization && group;
}

/** Reads one user, organization, group or membership through Casdoor’s API. */
export function casdoorLookup(
  config: Kept,
  api: CasdoorApi,
  now: () => Instant = Date.now,
): Directory['lookup'] {
  const findUser = casdoorUserFinder(api);
  const findKept = async (owner: string, userId: string) =>
    isKept(config, owner) ? findUser({ owner, userId }) : undefined;

  return async (key) => {
    const clock = now();
    switch (key.kind) {
      case 'user': {
        const user = await findKept(key.tenant, key.id);
        return user && userRecord(config, user, clock);
      }
      case 'organization': {
        if (!isKept(config, organizationOf(key.id))) return undefined;
        // No name of Casdoor's holds a slash, so it would take offence at a second one.
        if (/\/.*\//.test(key.id)) return undefined;
        if (key.id.includes('/')) {
          const group = await findLivingGroup(api, key.id);
          return group && groupRecord(group, clock);
        }
        const organization = await api.findOrganization(key.id);
        return organization && organizationRecord(organization, clock);
      }
      case 'membership': {
        const { organizationId, userId } = key;
        const user = await findKept(organizationOf(organizationId), userId);
        if (user === undefined) return undefined;
        const memberships = membershipRecords(user, clock, (group) => group === organizationId);
        const membership = memberships.find((one) => one.organizationId === organizationId);
        if (membership === undefined || !organizationId.includes('/')) return membership;
        // Users may name groups that are not there.
        return (await findLivingGroup(api, organizationId)) && membership;
      }
    }
  };
}

/** Makes the function that tells whether the place of a user in an organization is empty. */
export function casdoorDeparture(api: CasdoorApi): NonNullable<Directory['hasLeft']> {
  const findUser = casdoorUserFinder(api);
  // Of an organization that was renamed everybody is asked for at once. No answer outlives its question:
  // another organization may have the name by then.
  const asking = new Map<string, Promise<boolean>>();

  function isGone(organization: string): Promise<boolean> {
    const asked =
      asking.get(organization) ??
      api
        .findOrganization(organization)
        .then((found) => found === undefined)
        .finally(() => asking.delete(organization));
    asking.set(organization, asked);
    return asked;
  }

  return async ({ tenant, id }) => {
    // Of whom it is not known which organization owned them, nobody can tell that they have left it.
    if (tenant === '' || tenant === UNCERTAIN_TENANT) return false;
    return (await isGone(tenant)) || (await findUser({ owner: tenant, userId: id })) === undefined;
  };
}

/** The organization that a group is of, or the organization itself. */
export function organizationOf(name: string): string {
  return name.split('/', 1)[0] ?? '';
}
