import type { CognitoConfig } from '../../core/config.ts';

type Pool = Pick<CognitoConfig, 'userPoolId' | 'endpoint'>;

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
