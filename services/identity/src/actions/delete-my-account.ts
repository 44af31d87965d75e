import { deletedUser } from '#core/records.ts';
import type { Action } from './action.ts';
import { accountsOf } from './caller.ts';

/** Deletes the caller at the provider, and leaves a tombstone for their row at once. Twice is as good as once. */
export const deleteMyAccount: Action = {
  name: 'deleteMyAccount',
  isForDeleted: true,
  async run({ writer }, caller) {
    const { id, clock = 0 } = caller;
    await accountsOf(caller).remove(caller);
    // The provider's clock may be ahead of ours; at the same instant a deletion wins.
    const gone = deletedUser(caller, Math.max(Date.now(), clock), { onlyIfStored: true });
    await writer.write([gone]);
    return { id };
  },
};
