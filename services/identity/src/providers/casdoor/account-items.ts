import { LatchkeyError } from '@latchkey/core/errors';
import type { ProfileChange } from '#providers/provider.ts';
import type { CasdoorOrganization } from './shapes.ts';

/** What a field is called in the action's arguments, and among the organization's Account items. */
const FIELDS = [
  { field: 'firstName', argument: 'first_name', item: 'First name' },
  { field: 'lastName', argument: 'last_name', item: 'Last name' },
  { field: 'name', argument: 'name', item: 'Display name' },
] as const;

/**
 * Lets users change what their organization lets them change: fields whose account item is there, visible to
 * them, and theirs to modify. Casdoor's API does not look at these rules when a client calls it, and for
 * some fields never.
 *
 * @throws LatchkeyError `request-invalid`, naming the field and the fix
 */
export function checkAccountItems(
  name: string,
  organization: CasdoorOrganization | undefined,
  change: ProfileChange,
): void {
  for (const { field, argument, item } of FIELDS) {
    if (change[field] === undefined) continue;
    const rule = organization?.accountItems.find((one) => one.name === item);
    // What is shown to administrators alone, users cannot change at Casdoor either.
    if (rule?.visible === true && rule.viewRule !== 'Admin' && rule.modifyRule === 'Self') continue;
    throw new LatchkeyError(
      'request-invalid',
      `${argument} cannot be changed: the organization ${name} does not let its users (at Casdoor, Account items of the organization: ${item} must be visible, with View rule Public or Self and Modify rule Self).`,
    );
  }
}
