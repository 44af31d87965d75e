/** What all stand-ins are made of, as far as programs and tests outside of their folders use it. */

export type { LocalProvider } from './provider.ts';
export { createSigningKey, type SigningKey } from './signing-key.ts';
