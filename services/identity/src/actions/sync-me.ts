import { LatchkeyError } from '@latchkey/core/errors';
import type { UserRecord } from '#core/records.ts';
import { tokenError } from '#providers/jwt.ts';
import { withoutPart } from '#providers/parts.ts';
import type { Action, Bearer, Caller } from './action.ts';
import { ownRecord } from './caller.ts';

/**
 * Reads the caller from the provider and writes their row before it answers, so that the first screen
 * after a sign-up need not wait for a webhook.
 */
export const syncMe: Action = {
  name: 'syncMe',
  async run({ writer }, caller, _input, bearer) {
    const { accounts } = caller;
    const told = accounts === undefined ? await profileOf(caller, bearer) : await accounts.read(caller);
    await writer.write([ownRecord(caller, told)]);
    return { id: caller.id };
  },
};

/**
 * The caller's profile by their token, which is verified once more: whoever speaks with Hasura's secret could
 * bring any.
 *
 * @throws LatchkeyError `token-invalid` where it is not good, or not of this session
 */
async function profileOf({ id, provider, tokens }: Caller, bearer: Bearer): Promise<UserRecord> {
  if (tokens.profile === undefined) throw withoutPart({ name: provider }, 'accounts', 'request-invalid');
  const token = bearer();
  if (token === undefined) {
    throw new LatchkeyError(
      'request-invalid',
      'Hasura does not pass the token on: syncMe needs forward_client_headers, as in metadata/actions.yaml (npx latchkey apply), and a token in the Authorization header.',
    );
  }
  const profile = await tokens.profile(token);
  if (profile.id !== id) throw tokenError('it is of another user than the session');
  return profile;
}
