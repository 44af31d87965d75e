import type { JwtSecret } from '@latchkey/core/jwt-secret';
import type { LocalProvider } from '@latchkey/local/stand-ins/core';
import { chooseProviders, trust } from '../jwt-secret/trusted-providers.ts';

/**
 * How an engine is made to trust a stand-in: as the provider itself, but by the stand-in's own keys. They live
 * as long as it does, so there is no need of the service's relay.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export function jwtSecretOf(
  standIn: Pick<LocalProvider, 'name' | 'keysUrl' | 'serviceEnvironment'>,
): JwtSecret {
  const [name = 'clerk'] = chooseProviders([standIn.name], {});
  return { ...trust(name, standIn.serviceEnvironment).auth.jwtSecret, jwk_url: standIn.keysUrl };
}
