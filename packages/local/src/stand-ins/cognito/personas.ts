import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminListGroupsForUserCommand,
  AdminSetUserPasswordCommand,
  CreateGroupCommand,
  ListGroupsCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { membershipsOf, type Persona, type Personas } from '#personas/index.ts';
import type { Pool } from './pool.ts';

/**
 * Creates whoever of these is not there yet, as an administrator does, and leaves everybody else as they are.
 * The organizations and the roles of the file are groups.
 */
export async function addPersonas(pool: Pool, personas: Personas): Promise<void> {
  const { client, userPoolId: UserPoolId } = pool;
  const { Groups = [] } = await client.send(new ListGroupsCommand({ UserPoolId, Limit: 60 }));
  const there = new Set(Groups.map(({ GroupName }) => GroupName));
  const roles = Object.values(personas.people).flatMap((person) => person.roles);
  for (const GroupName of new Set([...Object.keys(personas.organizations), ...roles])) {
    if (there.has(GroupName)) continue;
    const Description = personas.organizations[GroupName]?.name;
    await client.send(new CreateGroupCommand({ UserPoolId, GroupName, Description }));
  }
  for (const [key, person] of Object.entries(personas.people)) {
    const Username = (await usernameOf(pool, person.email)) ?? (await create(pool, person));
    const listed = await client.send(new AdminListGroupsForUserCommand({ UserPoolId, Username }));
    const joined = new Set(listed.Groups?.map(({ GroupName }) => GroupName));
    const organizations = membershipsOf(personas, key).map(({ organization }) => organization);
    for (const GroupName of new Set([...organizations, ...person.roles])) {
      if (joined.has(GroupName)) continue;
      await client.send(new AdminAddUserToGroupCommand({ UserPoolId, Username, GroupName }));
    }
  }
}

async function usernameOf({ client, userPoolId: UserPoolId }: Pool, email: string) {
  const Filter = `email = "${email}"`;
  const { Users = [] } = await client.send(new ListUsersCommand({ UserPoolId, Filter }));
  return Users[0]?.Username;
}

async function create(pool: Pool, person: Persona): Promise<string> {
  const { client, userPoolId: UserPoolId, passwordOf } = pool;
  const attributes: Record<string, string | undefined> = {
    email: person.email,
    email_verified: String(person.verified),
    given_name: person.first_name,
    family_name: person.last_name,
    ...Object.fromEntries(
      Object.entries(person.metadata).map(([name, value]) => [
        `custom:${name}`,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  };
  const { User } = await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: person.email,
      MessageAction: 'SUPPRESS',
      UserAttributes: Object.entries(attributes).flatMap(([Name, Value]) =>
        Value === undefined ? [] : [{ Name, Value }],
      ),
    }),
  );
  const Username = User?.Username ?? person.email;
  const Password = passwordOf(person.email);
  await client.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }));
  return Username;
}
