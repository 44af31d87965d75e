import { readdirSync, readFileSync } from 'node:fs';

const FIXTURES = new URL('../fixtures/', import.meta.url);

type FixtureProvider = 'clerk' | 'casdoor' | 'cognito';

/** A recorded payload, byte for byte: signatures cover the last newline too. */
export function readFixture(provider: FixtureProvider, name: string): string {
  return readFileSync(new URL(`${provider}/${name}`, FIXTURES), 'utf8');
}

/** The names of a provider's recorded payloads. */
export function fixtureNames(provider: FixtureProvider): string[] {
  return readdirSync(new URL(`${provider}/`, FIXTURES));
}
