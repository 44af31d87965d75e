import { readFileSync } from 'node:fs';
import { Webhook } from 'svix';
import type { ClerkConfig } from '../../services/identity/core/config.ts';

const FIXTURES = new URL('../fixtures/clerk/', import.meta.url);

/** 32 bytes, in base64 after whsec_, as Clerk gives them out. */
export const SECRET = 'whsec_ZXhhbXBsZS10ZXN0LXNpZ25pbmcta2V5LTMyYnl0ZXM=';

/** Of an application that is only heard: nothing can be asked of its Backend API. */
export const CONFIG: ClerkConfig = {
  webhookSecrets: [SECRET],
  publishableKey: undefined,
  frontendApiUrl: undefined,
  secretKey: undefined,
  apiUrl: 'http://127.0.0.1:1',
  authorizedParties: [],
  instanceId: '',
};

/** A recorded payload, byte for byte: signatures cover the last newline too. */
export function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

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
