import { membershipsOf, type Persona, type Personas } from '#personas/index.ts';
import type { Actions } from './actions.ts';
import type { LocalDirectory, UserInput } from './directory.ts';

/**
 * Adds whoever of these is not there yet, and leaves everybody else as they are. A Casdoor user is of one
 * organization, here of `owner`; the organizations of the file are its groups, and that of its name is itself.
 */
export function addPersonas(
  { directory, actions }: { directory: LocalDirectory; actions: Actions },
  owner: string,
  personas: Personas,
): void {
  const has = (all: readonly { owner: string; name: string }[], name: string): boolean =>
    all.some((one) => `${one.owner}/${one.name}` === `${owner}/${name}`);

  for (const [key, { name }] of Object.entries(personas.organizations)) {
    if (key !== owner && !has(directory.state().groups, key)) actions.addGroup(`${owner}/${key}`, name);
  }
  for (const [key, person] of Object.entries(personas.people)) {
    const memberships = membershipsOf(personas, key);
    const groups = memberships
      .filter(({ organization }) => organization !== owner)
      .map(({ organization }) => `${owner}/${organization}`);
    const isAdmin = memberships.some(({ organization, role }) => organization === owner && role === 'admin');
    const user = directory.findUser(`${owner}/${key}`) ?? directory.findUser(person.email);
    if (user === undefined)
      actions.addUser(`${owner}/${key}`, { ...profileOf(key, person), groups, isAdmin });
    else {
      const missing = groups.filter((group) => !user.groups.includes(group));
      const name = `${user.owner}/${user.name}`;
      if (missing.length > 0) actions.updateUser(name, { groups: [...user.groups, ...missing] });
    }
  }
  const roles = new Set(Object.values(personas.people).flatMap((person) => person.roles));
  for (const role of roles) {
    if (has(directory.state().roles, role)) continue;
    const holders = Object.entries(personas.people).filter(([, person]) => person.roles.includes(role));
    actions.addRole(`${owner}/${role}`, { users: holders.map(([key]) => `${owner}/${key}`) });
  }
}

function profileOf(key: string, person: Persona): UserInput {
  const { email, verified, first_name: firstName = '', last_name: lastName = '', metadata } = person;
  return {
    email,
    emailVerified: verified,
    displayName: `${firstName} ${lastName}`.trim() || key,
    firstName,
    lastName,
    properties: Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  };
}
