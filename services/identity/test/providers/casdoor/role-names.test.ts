import { expect, test } from 'vitest';
import { roleNames, rolesHeld } from '#providers/casdoor/role-names.ts';
import { ROLE, USER } from '#providers/casdoor/shapes.ts';

const role = (owner: string, name: string, more: object = {}) =>
  ROLE.parse({ owner, name, isEnabled: true, ...more });
const user = USER.parse({ owner: 'acme', name: 'ada', id: 'an-id', groups: ['acme/staff'] });

test('whoever is named, or is in a group that is, has a role and all that contain it', () => {
  const roles = [
    role('acme', 'editor', { users: ['acme/ada'] }),
    role('acme', 'clerk', { groups: ['acme/staff'] }),
    role('acme', 'chief', { roles: ['acme/editor', 'acme/boss'] }),
    role('acme', 'boss', { roles: ['acme/chief'] }),
    role('acme', 'other', { users: ['beta/ada', 'acme/ad'], groups: ['acme/staff-2'] }),
  ];
  expect(roleNames(user, rolesHeld(roles)(user))).toEqual(['boss', 'chief', 'clerk', 'editor']);
});

test('of these count those that are enabled and of the user’s own organization, each once', () => {
  const roles = [
    role('acme', 'editor'),
    role('acme', 'editor'),
    role('acme', 'asleep', { isEnabled: false }),
    role('beta', 'evil'),
  ];
  expect(roleNames(user, roles)).toEqual(['editor']);
});
