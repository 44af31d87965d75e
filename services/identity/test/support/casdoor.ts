import type { CasdoorRecord, LocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { createSigningKey } from '@latchkey/local/stand-ins/core';
import { readConfig } from '#config/read-config.ts';
import type { Delivery, ParsedDelivery } from '#core/deliveries.ts';
import type { IdentityRecord, Person } from '#core/records.ts';
import type { StoredOwner, StoredState } from '#core/stored-state.ts';
import { type CasdoorApi, createCasdoorApi } from '#providers/casdoor/api.ts';
import { casdoorDeliveries } from '#providers/casdoor/deliveries.ts';
import type { CasdoorConfig } from '#providers/casdoor/settings.ts';

/** For the local Casdoors of tests in which keys make no difference: to make one takes longer than most tests. */
export const { privateJwk: PRIVATE_JWK } = await createSigningKey('of the tests');

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
  hasTenant: async () => false,
};

/** What is stored of one user, for tests that have no tables. */
export function storedUser(
  { tenant, id }: Pick<Person, 'tenant' | 'id'>,
  organizations: readonly string[] = [],
  more: Partial<StoredOwner> = {},
): Pick<StoredState, 'ownerOf' | 'organizationsOf'> {
  const row = { provider: 'casdoor', tenant, clock: 0, sourceCreatedAt: null, deleted: false, ...more };
  return {
    ownerOf: async (asked) => (asked === id ? row : undefined),
    organizationsOf: async (user, tenants) =>
      user.id === id && tenants.includes(tenant) ? organizations.map((one) => ({ id: one, tenant })) : [],
  };
}

export interface ReadOptions {
  stored?: Partial<StoredState>;
  settings?: Record<string, string>;
  api?: Partial<CasdoorApi>;
}

/** Reads what a service that talks to this Casdoor makes of a delivery. */
export function readDelivery(
  casdoor: LocalCasdoor,
  now: number,
  body: unknown,
  { stored = {}, settings = {}, api = {} }: ReadOptions = {},
): Promise<ParsedDelivery> {
  const config = configOf(casdoor, settings);
  const calls = { ...createCasdoorApi(config), ...api };
  return casdoorDeliveries(config, calls, { ...NOTHING_STORED, ...stored }, () => now)(delivery(body));
}

/** The records of a reading; fails the test where it is none of records. */
export function recordsIn(reading: ParsedDelivery): readonly IdentityRecord[] {
  if (reading.kind !== 'records') throw new Error(`${reading.kind}: ${JSON.stringify(reading)}`);
  return reading.records;
}

/** The last record that a change at Casdoor leaves. */
export function recordOf(casdoor: LocalCasdoor, change: () => unknown): CasdoorRecord {
  const record = casdoor.intercept(change).records.at(-1);
  if (record === undefined) throw new Error('The change left no record.');
  return record;
}

/** A delivery that has been authenticated. */
export function delivery(body: unknown): Delivery {
  return {
    id: 'casdoor:1',
    provider: 'casdoor',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    receivedAt: 1,
  };
}
