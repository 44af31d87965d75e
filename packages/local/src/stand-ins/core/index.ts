/** What all stand-ins are made of, as far as programs and tests outside of their folders use it. */

export { createEndpoint } from './endpoint.ts';
export type { LocalProvider, StandInGuide } from './provider.ts';
export { createSigningKey, type SigningKey } from './signing-key.ts';
