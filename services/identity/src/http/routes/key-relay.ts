import type { FastifyInstance } from 'fastify';
import { providersByIssuer } from '#auth/issuers.ts';
import type { Registry } from '#providers/registry.ts';

/** Hasura asks again no sooner than once a minute. */
const MAX_AGE_SECONDS = 60;

/**
 * `GET /jwks/<provider>`: the provider's public keys, with the `Cache-Control` without which Hasura
 * would never ask for them again.
 */
export function keyRelay(app: FastifyInstance, { providers }: { providers: Registry }): void {
  for (const provider of new Set(providersByIssuer(providers).values())) {
    app.get(`/jwks/${provider.name}`, { logLevel: 'warn' }, async (request, reply) => {
      const { keySet, readAt, outage } = await provider.tokens.keys();
      if (outage !== undefined) {
        const ageSeconds = Math.round((Date.now() - readAt) / 1000);
        request.log.warn(
          { err: outage, provider: provider.name, ageSeconds },
          'the provider does not give its keys: Hasura gets the last good ones',
        );
      }
      return reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`).send(keySet);
    });
  }
}
