import type { JwtSecret } from './jwt-secret.ts';

export const EDITIONS = ['ce', 'ee', 'cloud'] as const;
export type Edition = (typeof EDITIONS)[number];

/** Variables of Hasura and their values. */
export type EngineSettings = Readonly<Record<string, string>>;

/**
 * The settings with which Hasura trusts these providers: one by one variable, several on Enterprise and
 * Cloud by a list, and on the Community Edition, which ignores the list, through the identity service.
 *
 * @param options.strict have the service verify each token: Hasura alone lets pass a token that lacks
 *   `exp`, `aud` or `iss`, and Casdoor's refresh tokens
 */
export function engineSettings(
  secrets: readonly JwtSecret[],
  { edition, strict, serviceUrl }: { edition: Edition; strict: boolean; serviceUrl: string },
): EngineSettings {
  const [first] = secrets;
  if (strict || first === undefined || (secrets.length > 1 && edition === 'ce'))
    return hookSettings(serviceUrl);
  return secrets.length === 1
    ? { HASURA_GRAPHQL_JWT_SECRET: JSON.stringify(first) }
    : { HASURA_GRAPHQL_JWT_SECRETS: JSON.stringify(secrets) };
}

/** The settings with which Hasura asks the identity service who a client is. */
export function hookSettings(serviceUrl: string): EngineSettings {
  return {
    HASURA_GRAPHQL_AUTH_HOOK: `${serviceUrl}/auth/hook`,
    // By GET a client's headers would travel as headers of the request to the service, Transfer-Encoding
    // among them, and could garble the connection that all clients share.
    HASURA_GRAPHQL_AUTH_HOOK_MODE: 'POST',
    // Who a client is does not depend on what they ask for.
    HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY: 'false',
  };
}
