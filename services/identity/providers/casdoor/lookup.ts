import type { CasdoorConfig } from '../../core/config.ts';
import type { Instant } from '../../core/records.ts';
import type { Known, Provider } from '../provider.ts';
import { type CasdoorApi, type CasdoorUser, isRefusal } from './api.ts';
import { groupRecord, membershipRecords, organizationRecord, userRecord } from './records.ts';

type Kept = Pick<CasdoorConfig, 'organizations'>;

const isKept = ({ organizations }: Kept, organization: string): boolean =>
  organizations.length === 0 || organizations.includes(organization);

/** Makes the function that finds a user who is kept in step by their UUID. */
export function casdoorUserFinder(
  config: Kept,
  api: CasdoorApi,
  known: Known,
): (userId: string) => Promise<CasdoorUser | undefined> {
  return async (userId) => {
    let user: CasdoorUser | undefined;
    try {
      user = await api.findUser({ userId });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Casdoor keeps the users of a deleted organization, and answers for them with an error.
      const owners = (await known.organizationsOf(userId)).filter((id) => !id.includes('/'));
      const left = await Promise.all(owners.map((owner) => api.findOrganization(owner)));
      if (left.length === 0 || left.some((organization) => organization !== undefined)) throw error;
    }
    return user === undefined || user.isDeleted || !isKept(config, user.owner) ? undefined : user;
  };
}

/** Reads one user, organization, group or membership through Casdoor’s API. */
export function casdoorLookup(
  config: Kept,
  api: CasdoorApi,
  known: Known,
  now: () => Instant = Date.now,
): Provider['lookup'] {
  const findUser = casdoorUserFinder(config, api, known);

  return async (key) => {
    const clock = now();
    switch (key.kind) {
      case 'user': {
        const user = await findUser(key.id);
        return user && userRecord(user, clock);
      }
      case 'organization': {
        if (!isKept(config, key.id.split('/', 1)[0] ?? '')) return undefined;
        if (key.id.includes('/')) {
          const group = await api.findGroup(key.id);
          return group && groupRecord(group, clock);
        }
        const organization = await api.findOrganization(key.id);
        return organization && organizationRecord(organization, clock);
      }
      case 'membership': {
        const user = await findUser(key.userId);
        const memberships = user === undefined ? [] : membershipRecords(user, clock);
        return memberships.find(({ organizationId }) => organizationId === key.organizationId);
      }
    }
  };
}
