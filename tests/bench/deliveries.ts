import { readFileSync } from 'node:fs';
import { Webhook } from 'svix';
import { z } from 'zod';

/** Whatever the payload holds besides, these are replaced. */
const EVENT = z.looseObject({
  timestamp: z.number(),
  data: z.looseObject({
    id: z.string(),
    updated_at: z.number(),
    email_addresses: z.array(z.looseObject({})),
  }),
});
const RECORDED = EVENT.parse(
  JSON.parse(readFileSync(new URL('../fixtures/clerk/user.created.json', import.meta.url), 'utf8')),
);
/** So far behind a user's sign-up comes their update: its row is there by then, and no longer fresh. */
const UPDATE_LAG = 2_000;

export interface Deliveries {
  /** The next `count` deliveries, signed now, each a whole HTTP request. */
  next(count: number): Buffer[];
}

/**
 * Clerk's deliveries as they come in while people sign up: every second one a new user, every other
 * one an update of somebody who signed up a while before.
 *
 * @param name tells these users from those of other senders
 */
export function createDeliveries(name: string, secret: string): Deliveries {
  const webhook = new Webhook(secret);
  const begun = Date.now();
  let count = 0;

  function one(): Buffer {
    count += 1;
    const isUpdate = count % 2 === 0 && count > UPDATE_LAG;
    const user = isUpdate ? count - UPDATE_LAG + 1 : count;
    // As Clerk's: those made later come later in their order.
    const id = `user_2kQ7xRmVbTzLcWfHy${name}${String(user).padStart(8, '0')}`;
    const at = begun + count;
    const body = JSON.stringify({
      ...RECORDED,
      type: isUpdate ? 'user.updated' : 'user.created',
      timestamp: at,
      data: {
        ...RECORDED.data,
        id,
        updated_at: at,
        email_addresses: RECORDED.data.email_addresses.map((address) => ({
          ...address,
          email_address: `${id}@example.com`,
        })),
      },
    });
    const delivery = `msg_${name}_${count}`;
    const now = new Date();
    return Buffer.from(
      [
        'POST /webhooks/clerk HTTP/1.1',
        'host: 127.0.0.1',
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
        'user-agent: Svix-Webhooks/1.0',
        `svix-id: ${delivery}`,
        `svix-timestamp: ${Math.floor(now.getTime() / 1000)}`,
        `svix-signature: ${webhook.sign(delivery, now, body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }

  return { next: (wanted) => Array.from({ length: wanted }, one) };
}
