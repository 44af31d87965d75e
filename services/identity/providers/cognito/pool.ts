import type { CognitoConfig } from '../../core/config.ts';
import { createKeySource, type KeySource } from '../key-source.ts';

type Pool = Pick<CognitoConfig, 'userPoolId' | 'endpoint'>;

/**
 * ListUsers is "eventually consistent": it may leave out what happened just now. So what it tells is of
 * some earlier instant, and this is how much earlier it may be, in milliseconds.
 */
export const SEARCH_LAG_MS = 60_000;

/** A pool's id begins with its region: `eu-west-1_AbCdEfGhI`. */
export function regionOf(userPoolId: string): string {
  return userPoolId.slice(0, userPoolId.lastIndexOf('_'));
}

/**
 * The issuer of a pool's tokens.
 *
 * @example issuerOf({ userPoolId: 'eu-west-1_AbCdEfGhI' }) // 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI'
 */
export function issuerOf({ userPoolId, endpoint }: Pool): string {
  // A VPC endpoint is another way to the same issuer; a stand-in is an issuer of its own.
  if (endpoint !== undefined && isOnThisMachine(endpoint)) return `${endpoint}/${userPoolId}`;
  const region = regionOf(userPoolId);
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://cognito-idp.${region}.${domain}/${userPoolId}`;
}

/** Whether an endpoint is a stand-in for Cognito on this machine. */
export function isOnThisMachine(endpoint: string | undefined): boolean {
  const { hostname = '' } = (endpoint !== undefined && URL.parse(endpoint)) || {};
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Where the pool publishes its public keys. */
export function keysUrlOf(pool: Pool): string {
  return `${issuerOf(pool)}/.well-known/jwks.json`;
}

export function cognitoKeySource(pool: Pool): KeySource {
  return createKeySource({
    url: keysUrlOf(pool),
    provider: 'Cognito',
    mend: 'check COGNITO_USER_POOL_ID (or COGNITO_ENDPOINT) and the way to it',
  });
}
