import { readFileSync } from 'node:fs';
import type { LocalCasdoor } from '../../scripts/local/casdoor/local-casdoor.ts';
import type { CasdoorConfig } from '../../services/identity/core/config.ts';
import { readConfig } from '../../services/identity/core/config.ts';
import type { Delivery } from '../../services/identity/core/deliveries.ts';
import type { StoredState } from '../../services/identity/core/stored-state.ts';

const FIXTURES = new URL('../fixtures/casdoor/', import.meta.url);

/** A recorded payload. */
export function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

/** The configuration of a service that talks to this Casdoor, and keeps all its organizations. */
export function configOf(casdoor: LocalCasdoor, more: Record<string, string> = {}): CasdoorConfig {
  const { providers } = readConfig({
    HASURA_GRAPHQL_ADMIN_SECRET: 'not used here',
    ...casdoor.serviceEnvironment,
    CASDOOR_ORGANIZATIONS: '',
    ...more,
  });
  if (providers.casdoor === undefined) throw new Error('Casdoor is not configured.');
  return providers.casdoor;
}

/** Tables in which nothing is stored yet. */
export const NOTHING_STORED: StoredState = {
  organizationsOf: async () => [],
  usersWithRole: async () => [],
  ownerOf: async () => undefined,
};

/** A delivery that has been authenticated. */
export function delivery(body: unknown): Delivery {
  return {
    id: 'casdoor:1',
    provider: 'casdoor',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    receivedAt: 1,
  };
}
