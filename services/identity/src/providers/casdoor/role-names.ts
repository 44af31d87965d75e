import type { CasdoorRole, CasdoorUser } from './shapes.ts';

/**
 * The roles that a user has, worked out as Casdoor's get-user does: those that name the user or one of
 * their groups, and every role that contains one of these. Lists of users do not tell roles, and asking for
 * each user alone would be a call for each.
 *
 * @param roles all of the user's organization
 */
export function rolesHeld(roles: readonly CasdoorRole[]): (user: CasdoorUser) => CasdoorRole[] {
  const byMember = new Map<string, CasdoorRole[]>();
  const byPart = new Map<string, CasdoorRole[]>();
  for (const role of roles) {
    for (const member of [...role.users, ...role.groups]) append(byMember, member, role);
    for (const part of role.roles) append(byPart, part, role);
  }

  return (user) => {
    const held = new Set<CasdoorRole>();
    const add = (role: CasdoorRole): void => {
      if (held.has(role)) return;
      held.add(role);
      for (const whole of byPart.get(`${role.owner}/${role.name}`) ?? []) add(whole);
    };
    for (const member of [`${user.owner}/${user.name}`, ...user.groups]) {
      for (const role of byMember.get(member) ?? []) add(role);
    }
    return [...held];
  };
}

/**
 * The names of the roles that count: enabled, and of the user's own organization. Another one may name
 * anybody in its roles.
 */
export function roleNames({ owner }: Pick<CasdoorUser, 'owner'>, roles: readonly CasdoorRole[]): string[] {
  const names = roles.flatMap((role) => (role.isEnabled && role.owner === owner ? [role.name] : []));
  return [...new Set(names)].sort();
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
