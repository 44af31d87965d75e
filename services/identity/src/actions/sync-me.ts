import type { Action } from './action.ts';
import { ownRecord } from './caller.ts';

/**
 * Reads the caller from the provider and writes their row before it answers, so that the first screen
 * after a sign-up need not wait for a webhook.
 */
export const syncMe: Action = {
  name: 'syncMe',
  async run({ writer }, caller) {
    const record = ownRecord(caller, await caller.accounts.read(caller));
    await writer.write([record]);
    return { id: caller.id };
  },
};
