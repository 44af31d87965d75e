import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { readFixture } from './fixtures.ts';

export const SECRET = 'whsec_ZXhhbXBsZS10ZXN0LXNpZ25pbmcta2V5LTMyYnl0ZXM=';
export const POOL = 'eu-west-1_EXAMPLE12';
export const CLIENT = '1example23456789abcdefghij';
/** Of the user in the recorded payloads. */
export const SUB = '5ccbdd3b-2966-40de-b64d-be99018a6455';

export const JSON_OBJECT = z.record(z.string(), z.unknown());
export type JsonFixture = z.infer<typeof JSON_OBJECT>;

/** A recorded payload. */
export const fixture = (name: string): JsonFixture =>
  JSON_OBJECT.parse(JSON.parse(readFixture('cognito', name)));

/** The headers with which the Lambda functions would send this body now, or at another time. */
export function signed(
  body: string,
  { id = 'evt_1', secret = SECRET, at = new Date() }: { id?: string; secret?: string; at?: Date } = {},
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
