import { z } from 'zod';

/** The people of a development team's imagination: who they are, where they belong, what they may do. */

const KEY = /^[a-z0-9][a-z0-9_-]*$/;
const key = z.string().regex(KEY, 'is a name of small letters, digits, - and _, such as ada');
const text = z.string('must be text: put quotes around it').min(1, 'must not be empty');

const person = z.strictObject({
  email: z
    .string('must be an e-mail address, such as ada@example.com')
    .regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address, such as ada@example.com'),
  first_name: text.optional(),
  last_name: text.optional(),
  /** Whether the address is verified. */
  verified: z.boolean('must be true or false').default(true),
  /** For Cognito, which wants one to sign in with. */
  password: text.min(8, 'must have 8 characters or more').optional(),
  /** Roles at the provider, where it has some: Casdoor's roles, Cognito's groups. */
  roles: z.array(text, 'must be a list, such as [editor]').default([]),
  /** Clerk's public metadata, Casdoor's properties, Cognito's custom attributes. */
  metadata: z.record(z.string(), z.unknown(), 'must be names and values, such as { plan: pro }').default({}),
});

const organization = z.strictObject({ name: text.optional() });

const membership = z.strictObject({
  person: text,
  organization: text,
  /** As the provider has it, without a prefix. */
  role: text.default('member'),
});

/** What `personas.yaml` holds; see {@link readPersonas}. */
export const PERSONAS = z
  .strictObject({
    people: z.record(key, person, 'must be names with fields, such as ada: { email: ada@example.com }'),
    organizations: z
      .record(
        key,
        organization.nullable().transform((one) => one ?? {}),
      )
      .default({}),
    memberships: z.array(membership, 'must be a list').default([]),
  })
  .superRefine(({ people, organizations, memberships }, context) => {
    const emails = new Map<string, string>();
    for (const [name, { email }] of Object.entries(people)) {
      const other = emails.get(email.toLowerCase());
      if (other !== undefined) {
        const message = `is that of ${other} too: give each person an address of their own`;
        context.addIssue({ code: 'custom', path: ['people', name, 'email'], message });
      }
      emails.set(email.toLowerCase(), name);
    }
    for (const [index, one] of memberships.entries()) {
      const missing = (field: string, name: string, all: object): void => {
        if (Object.hasOwn(all, name)) return;
        const names = Object.keys(all).join(', ') || 'nobody';
        const message = `names ${name}, which is not in the file: it has ${names}`;
        context.addIssue({ code: 'custom', path: ['memberships', index, field], message });
      };
      missing('person', one.person, people);
      missing('organization', one.organization, organizations);
    }
  });

export type Personas = z.infer<typeof PERSONAS>;
export type Persona = Personas['people'][string];

/** Where somebody belongs: the organization's name in the file, and the role there. */
export function membershipsOf(personas: Personas, name: string): { organization: string; role: string }[] {
  return personas.memberships.filter(({ person: of }) => of === name);
}
