import type { IdentityRecord } from '#core/records.ts';

/**
 * Splits what a delivery says into what it stands or falls with and what can be left out of it: one
 * organization that is somebody else's must not keep a user's own changes from being written.
 *
 * A user's ended memberships are never left out, for whoever was an admin must not stay one.
 *
 * @param subject the id of what the delivery is about
 * @returns `parts`: for each organization its record and the memberships in it
 */
export function splitOptional(
  records: readonly IdentityRecord[],
  subject: string | null,
): { readonly core: readonly IdentityRecord[]; readonly parts: readonly (readonly IdentityRecord[])[] } {
  const hasSubject = records.some((record) => record.kind !== 'membership' && record.id === subject);
  const core: IdentityRecord[] = [];
  const parts = new Map<string, IdentityRecord[]>();
  for (const record of records) {
    const organization = hasSubject ? optionalIn(record, subject) : undefined;
    if (organization === undefined) {
      core.push(record);
      continue;
    }
    const part = parts.get(organization);
    if (part === undefined) parts.set(organization, [record]);
    else part.push(record);
  }
  return { core, parts: [...parts.values()] };
}

function optionalIn(record: IdentityRecord, subject: string | null): string | undefined {
  switch (record.kind) {
    case 'user':
      return undefined;
    case 'organization':
      return record.id === subject ? undefined : record.id;
    case 'membership':
      return record.deleted || record.organizationId === subject ? undefined : record.organizationId;
  }
}
