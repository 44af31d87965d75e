import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Action } from './action.ts';
import { accountsOf, ownRecord } from './caller.ts';

const MAX_LENGTH = 100;

/** Null is what clients send for a variable that they leave out. */
const text = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_LENGTH, `must have at most ${MAX_LENGTH} characters`)
  .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), 'must not hold control characters')
  .nullish()
  .transform((value) => value ?? undefined);

const PROFILE = z
  .object({ first_name: text, last_name: text, name: text })
  .refine(
    (profile) => Object.values(profile).some((value) => value !== undefined),
    'nothing to change: give first_name, last_name or name',
  );

/** Changes the caller's profile at the provider, and their row with it. */
export const updateMyProfile: Action = {
  name: 'updateMyProfile',
  async run({ writer }, caller, input) {
    const profile = PROFILE.safeParse(input);
    if (!profile.success) {
      const issues = profile.error.issues.map(({ path, message }) => [...path, message].join(' '));
      throw new LatchkeyError('request-invalid', `The profile is not taken: ${issues.join('; ')}.`);
    }
    const { first_name: firstName, last_name: lastName, name } = profile.data;
    const changed = await accountsOf(caller).change(caller, { firstName, lastName, name });
    const record = ownRecord(caller, changed);
    await writer.write([record]);
    return { id: caller.id };
  },
};
