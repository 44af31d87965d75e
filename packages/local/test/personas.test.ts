import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '#environment.ts';
import { parsePersonas, readPersonas } from '#personas/index.ts';

const EXAMPLE = join(PROJECT_ROOT, 'examples', 'personas', 'personas.yaml');

test('the example is right', async () => {
  const { people, organizations, memberships } = await readPersonas(EXAMPLE);
  expect(Object.keys(people)).toEqual(['grete', 'emil', 'olga']);
  expect(people.grete).toMatchObject({ roles: ['editor'], metadata: { plan: 'pro' }, verified: true });
  expect(organizations.lemma).toEqual({ name: 'Lemma & Co' });
  expect(memberships).toHaveLength(4);
});

test.each([
  ['people:\n  ada:\n    email: nonsense\n', 'p.yaml:3: people.ada.email must be an e-mail address'],
  ['people:\n  ada: {}\n', 'p.yaml:2: people.ada.email is missing: it must be an e-mail address'],
  ['people:\n  Ada: { email: a@b.c }\n', 'p.yaml:2: people.Ada is a name of small letters'],
  ['people:\n  ada:\n    email: a@b.c\n    emial: x\n', 'p.yaml:4: people.ada.emial is no field: remove it'],
  [
    'people:\n  ada: { email: a@b.c }\n  ben: { email: A@b.c }\n',
    'p.yaml:3: people.ben.email is that of ada too: give each person',
  ],
  [
    'people:\n  ada: { email: a@b.c }\nmemberships:\n  - person: ada\n    organization: acme\n',
    'p.yaml:5: memberships.0.organization names acme, which is not in the file',
  ],
  ['people: [\n', 'p.yaml:2: '],
  ['', 'p.yaml:1: people is missing'],
])('of %j it is said where and what is wrong', (file, message) => {
  expect(() => parsePersonas(file, 'p.yaml')).toThrow(message);
});

test('a file that is not there is named', async () => {
  await expect(readPersonas('nowhere.yaml')).rejects.toThrow('nowhere.yaml cannot be read (ENOENT)');
});
