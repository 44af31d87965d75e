import { randomInt } from 'node:crypto';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id as Clerk makes them: `user_2` and 26 more letters and digits. */
export function clerkId(prefix: string): string {
  return `${prefix}_2${Array.from({ length: 26 }, () => BASE62[randomInt(BASE62.length)]).join('')}`;
}
