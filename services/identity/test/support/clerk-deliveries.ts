import { fixture } from '@latchkey/tests/support/clerk';
import { z } from 'zod';
import { clerkDeliveries } from '#providers/clerk/deliveries.ts';

export const USER = 'user_2exampleUser000000000001';

export const ORGANIZATION = 'org_2exampleOrg0000000000001';

export const INSTANCE = 'ins_2exampleInstance0000000001';

export const read = (
  body: unknown,
  { instanceId = '', ...times }: { instanceId?: string; receivedAt?: number; sentAt?: number } = {},
) =>
  clerkDeliveries({ instanceId })({
    id: 'msg_1',
    provider: 'clerk',
    receivedAt: 1767225700000,
    ...times,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

export const event = (name: string): { type: string; timestamp: unknown; data: Record<string, unknown> } =>
  z
    .object({ type: z.string(), timestamp: z.unknown(), data: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(fixture(name)));

export async function recordsOf(...args: Parameters<typeof read>) {
  const reading = await read(...args);
  if (reading.kind !== 'records') throw new Error(`${reading.kind}: ${JSON.stringify(reading)}`);
  return reading.records;
}

export const organization = {
  kind: 'organization',
  provider: 'clerk',
  tenant: INSTANCE,
  id: ORGANIZATION,
  clock: 1767225610000,
  deleted: false,
  sourceCreatedAt: 1767225610000,
  name: 'Example Org',
  slug: 'example-org',
  imageUrl: 'https://img.clerk.com/exampleorg',
  metadata: {},
};

export const membership = {
  kind: 'membership',
  provider: 'clerk',
  tenant: INSTANCE,
  organizationId: ORGANIZATION,
  userId: USER,
  clock: 1767225630000,
  deleted: false,
  sourceCreatedAt: 1767225620000,
  role: 'org:admin',
};
