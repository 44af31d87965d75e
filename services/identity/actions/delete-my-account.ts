import { deletedUser } from '../core/records.ts';
import type { Action } from './action.ts';

/** Deletes the caller at the provider, and leaves a tombstone for their row at once. */
export const deleteMyAccount: Action = {
  name: 'deleteMyAccount',
  async run({ writer }, { id, provider, clock = 0 }) {
    await provider.accounts.remove(id);
    // The provider's clock may be ahead of ours; at the same instant a deletion wins.
    await writer.write({ records: [deletedUser(provider.name, id, Math.max(Date.now(), clock))] });
    return { id };
  },
};
