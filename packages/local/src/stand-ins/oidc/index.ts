/** An issuer of OpenID Connect on this machine: what programs and tests outside of its folder use of it. */

export type { LocalDirectory, OidcUser } from './directory.ts';
export { type LocalOidc, type LocalOidcOptions, standIn, startLocalOidc } from './local-oidc.ts';
