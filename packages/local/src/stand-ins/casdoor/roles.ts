import type { CasdoorRole, CasdoorUser } from './types.ts';

export type Owned = { owner: string; name: string };

/**
 * The roles of a user as Casdoor works them out: those of any organization that name the user or one of
 * their groups, but of these only the roles of the organization that is found first, and the roles of that
 * one that contain them. So another organization's administrator can give a role, and take roles away.
 */
export function rolesAtCasdoor(roles: readonly CasdoorRole[], user: CasdoorUser): CasdoorRole[] {
  const name = `${user.owner}/${user.name}`;
  const direct = roles.filter(
    ({ users, groups }) => users.includes(name) || groups.some((group) => user.groups.includes(group)),
  );
  const owner = direct[0]?.owner;
  const held = new Set(direct.filter((role) => role.owner === owner));
  for (const part of held) {
    for (const whole of roles) {
      if (whole.owner === owner && whole.roles.includes(`${part.owner}/${part.name}`)) held.add(whole);
    }
  }
  return [...held];
}
