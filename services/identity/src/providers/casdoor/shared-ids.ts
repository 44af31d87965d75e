import { SHARED_ID_FIX } from './read-users.ts';
import type { CasdoorUser, Items } from './shapes.ts';

/**
 * Makes the function that takes those users out of the pages of one organization, in the order of their
 * ids, who have the same id: none of them can be told from the others, and a row is one of them. Where
 * they stand on two pages, those of the first have been taken for the only ones.
 */
export function createSharedIdCheck(): (page: Items<CasdoorUser>) => Items<CasdoorUser> {
  let last: Pick<CasdoorUser, 'id' | 'name'> | undefined;
  return ({ items, unreadable }) => {
    const isShared = (user: CasdoorUser, index: number): boolean =>
      [index === 0 ? last : items[index - 1], items[index + 1]].some(
        // A page may be read again.
        (other) => other !== undefined && other.id === user.id && other.name !== user.name,
      );
    const shared = new Set(items.filter(isShared));
    last = items.at(-1) ?? last;
    return {
      items: items.filter((user) => !shared.has(user)),
      unreadable: [
        ...unreadable,
        ...[...shared].map(({ owner, name }) => ({
          name: `user ${owner}/${name}`,
          reason: `another user of ${owner} has the same id: ${SHARED_ID_FIX}`,
        })),
      ],
    };
  };
}
