import { isOnThisMachine } from './aws.ts';
import type { PoolUser } from './read-answer.ts';
import type { CognitoConfig } from './settings.ts';

/** Where a pool is. */
export type PoolPlace = { readonly userPoolId: string } & Pick<
  CognitoConfig,
  'endpoint' | 'issuer' | 'keysUrl'
>;

/** The places of all pools, in the order of the setting. */
export function placesOf({
  userPoolIds: [first, ...others],
  endpoint,
  issuer,
  keysUrl,
}: Pick<CognitoConfig, 'userPoolIds' | 'endpoint' | 'issuer' | 'keysUrl'>): readonly [
  PoolPlace,
  ...PoolPlace[],
] {
  const at = (userPoolId: string): PoolPlace => ({ userPoolId, endpoint, issuer, keysUrl });
  return [at(first), ...others.map(at)];
}

/** What of a pool is kept in step. */
export type PoolConfig = { readonly userPoolId: string } & Pick<
  CognitoConfig,
  'metadataAttributes' | 'keepsFederatedGroups' | 'keepsUnconfirmedUsers'
>;

/**
 * ListUsers is "eventually consistent": it may leave out what happened just now. So what it tells is of
 * some earlier instant, and this is how much earlier it may be, in milliseconds.
 */
export const SEARCH_LAG_MS = 60_000;

/** A pool's id begins with its region: `eu-west-1_AbCdEfGhI`. */
export function regionOf(userPoolId: string): string {
  return userPoolId.slice(0, userPoolId.lastIndexOf('_'));
}

/** AWS's own address of Cognito in the region of a pool, without a trailing slash. */
export function regionalAddress(userPoolId: string): string {
  const region = regionOf(userPoolId);
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://cognito-idp.${region}.${domain}`;
}

/**
 * The issuer of a pool's tokens.
 *
 * @example issuerOf({ userPoolId: 'eu-west-1_AbCdEfGhI' }) // 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI'
 */
export function issuerOf({ userPoolId, endpoint, issuer }: PoolPlace): string {
  // A VPC endpoint is another way to the same issuer; a stand-in is an issuer of its own.
  const standIn = isOnThisMachine(endpoint) ? endpoint : undefined;
  return `${issuer ?? standIn ?? regionalAddress(userPoolId)}/${userPoolId}`;
}

/** Where the pool publishes its public keys. */
export function keysUrlOf(pool: PoolPlace): string {
  const { userPoolId, endpoint, keysUrl } = pool;
  // A stand-in that signs in AWS's name has its own keys all the same.
  const standIn = isOnThisMachine(endpoint) ? endpoint : undefined;
  const address = keysUrl ?? standIn;
  const folder = address === undefined ? issuerOf(pool) : `${address}/${userPoolId}`;
  return `${folder}/.well-known/jwks.json`;
}

/**
 * Whether a group is kept in step. Cognito puts everybody who comes from another identity provider into a
 * group `<User pool ID>_<Provider>`; as an organization it would make them colleagues of each other.
 */
export function keepsGroup(
  { userPoolId, keepsFederatedGroups }: Pick<PoolConfig, 'userPoolId' | 'keepsFederatedGroups'>,
  name: string,
): boolean {
  return keepsFederatedGroups || !name.startsWith(`${userPoolId}_`);
}

/** Whether a user is kept in step: anybody may have signed up with an address that nobody has confirmed. */
export function keepsUser(
  { keepsUnconfirmedUsers }: Pick<PoolConfig, 'keepsUnconfirmedUsers'>,
  { isConfirmed }: Pick<PoolUser, 'isConfirmed'>,
): boolean {
  return keepsUnconfirmedUsers || isConfirmed;
}
