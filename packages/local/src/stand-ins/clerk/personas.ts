import { membershipsOf, type Personas } from '#personas/index.ts';
import type { LocalDirectory } from './directory.ts';

/** Signs up whoever of these is not there yet, and leaves everybody else as they are. */
export function addPersonas(directory: LocalDirectory, personas: Personas): void {
  const slugs = new Map(directory.state().organizations.map(({ slug, id }) => [slug, id]));
  for (const [slug, { name }] of Object.entries(personas.organizations)) {
    if (!slugs.has(slug)) slugs.set(slug, directory.createOrganization({ name: name ?? slug, slug }).id);
  }
  for (const [key, person] of Object.entries(personas.people)) {
    const user =
      directory.findUser(person.email) ??
      directory.signUp({
        email: person.email,
        firstName: person.first_name,
        lastName: person.last_name,
        publicMetadata: person.metadata,
        verified: person.verified,
      });
    const { memberships } = directory.state();
    for (const { organization, role } of membershipsOf(personas, key)) {
      const id = slugs.get(organization) ?? '';
      const isMember = memberships.some(
        (one) => one.organization.id === id && one.public_user_data.user_id === user.id,
      );
      if (!isMember) directory.setMembership(id, user.id, role.startsWith('org:') ? role : `org:${role}`);
    }
  }
}
