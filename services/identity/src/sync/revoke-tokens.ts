import type { Instant, Person } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { EndSessionsDocument } from '#hasura/generated/documents.ts';

/**
 * Has the auth hook and the actions refuse all tokens that a person has so far. Their sessions at the provider
 * go on.
 *
 * @returns from when on tokens are good again; undefined where there is no row of this person
 */
export async function revokeTokens(
  engine: Pick<HasuraClient, 'request'>,
  { id, provider, tenant }: Person,
): Promise<Instant | undefined> {
  // Where the row does not tell its tenant yet, it is whoever of the provider bears the id.
  const { update_users: updated } = await engine.request(EndSessionsDocument, {
    id,
    provider,
    tenants: [tenant, ''],
  });
  const validFrom = updated?.returning[0]?.tokens_valid_from;
  return validFrom == null ? undefined : Date.parse(validFrom);
}
