import type { JwtSecret } from '@latchkey/core/jwt-secret';
import type { EngineAuth } from '@latchkey/identity/providers/provider';
import type { LocalProvider } from '@latchkey/local/stand-ins/core';
import { chooseProviders, trust } from '../jwt-secret/trusted-providers.ts';

type StandIn = Pick<LocalProvider, 'name' | 'keysUrl' | 'serviceEnvironment'>;

/**
 * How an engine is made to trust a stand-in: as the provider itself, but by the stand-in's own keys. They live
 * as long as it does, so there is no need of the service's relay.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function jwtSecretOf(standIn: StandIn): JwtSecret {
  return { ...authOf(standIn).jwtSecret, jwk_url: standIn.keysUrl };
}

/**
 * How an engine is made to trust stand-ins by itself.
 *
 * @returns undefined where the service has to verify the tokens: of several, and where JWT mode cannot check them
 */
export function jwtModeOf([only, ...others]: readonly StandIn[]): JwtSecret | undefined {
  if (only === undefined || others.length > 0 || authOf(only).needsHook !== undefined) return undefined;
  return jwtSecretOf(only);
}

function authOf({ name, serviceEnvironment }: StandIn): EngineAuth {
  const [known = 'clerk'] = chooseProviders([name], {});
  return trust(known, serviceEnvironment).auth;
}
