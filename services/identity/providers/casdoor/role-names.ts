import type { CasdoorRole, CasdoorUser } from './api.ts';

/**
 * The names of the roles that a user has, worked out as Casdoor's get-user does: those that name the
 * user or one of their groups, and every role that contains one of these. Lists of users do not tell
 * roles, and asking for each user alone would be a call for each.
 */
export function roleNames(roles: readonly CasdoorRole[]): (user: CasdoorUser) => string[] {
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
    const names = [...held].flatMap(({ name, isEnabled }) => (isEnabled ? [name] : []));
    return [...new Set(names)].sort();
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
