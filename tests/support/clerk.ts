import { Webhook } from 'svix';
import { readFixture } from './fixtures.ts';

/** 32 bytes, in base64 after whsec_, as Clerk gives them out. */
export const SECRET = 'whsec_ZXhhbXBsZS10ZXN0LXNpZ25pbmcta2V5LTMyYnl0ZXM=';

/** A recorded payload. */
export const fixture = (name: string): string => readFixture('clerk', name);

/** The headers with which Svix would send this body now, or at another time. */
export function signed(
  body: string,
  { id = 'msg_1', secret = SECRET, at = new Date() }: { id?: string; secret?: string; at?: Date } = {},
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'svix-id': id,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new Webhook(secret).sign(id, at, body),
  };
}
