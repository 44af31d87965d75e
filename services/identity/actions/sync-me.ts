import type { Action } from './action.ts';
import { unknownCaller } from './caller.ts';

/**
 * Reads the caller from the provider and writes their row before it answers, so that the first screen
 * after a sign-up need not wait for a webhook.
 */
export const syncMe: Action = {
  name: 'syncMe',
  async run({ writer }, caller) {
    const record = await caller.at.accounts.read(caller);
    // Not taken for a deletion: to a provider that lags behind, the newest users are unknown too.
    if (record === undefined) throw unknownCaller();
    await writer.write({ records: [record] });
    return { id: caller.id };
  },
};
