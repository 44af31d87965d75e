import { LatchkeyError } from '@latchkey/core/errors';
import { ACTION_CALL, type Action, type ActionServices, type Bearer, type User } from './action.ts';
import { findCaller } from './caller.ts';
import { deleteMyAccount } from './delete-my-account.ts';
import { signOutEverywhere } from './sign-out-everywhere.ts';
import { syncMe } from './sync-me.ts';
import { updateMyProfile } from './update-my-profile.ts';

const ACTIONS: ReadonlyMap<string, Action> = new Map(
  [syncMe, updateMyProfile, signOutEverywhere, deleteMyAccount].map((action) => [action.name, action]),
);

/**
 * Does what Hasura asks for on behalf of a caller.
 *
 * @param body of Hasura's request, not yet looked at
 * @param bearer the token that came with it
 * @throws LatchkeyError as {@link Action.run} and {@link findCaller}
 */
export async function runAction(services: ActionServices, body: unknown, bearer: Bearer): Promise<User> {
  const call = ACTION_CALL.safeParse(body);
  if (!call.success) {
    throw new LatchkeyError('request-invalid', 'This is not what Hasura sends for an action.');
  }
  const { action: called, input, session_variables: variables } = call.data;
  const action = ACTIONS.get(called.name);
  if (action === undefined) {
    throw new LatchkeyError(
      'not-found',
      `There is no action ${called.name.slice(0, 100)}: apply the metadata of this version (npx latchkey apply).`,
    );
  }
  const caller = await findCaller(services, variables, { isForDeleted: action.isForDeleted ?? false });
  return action.run(services, caller, input, bearer);
}
