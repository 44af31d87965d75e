import type { Instant, Owner, ProviderName } from './records.ts';

/** Whose row an id is. */
export interface StoredOwner {
  readonly provider: string;
  /** Empty where it is not known. */
  readonly tenant: string;
  /** Of which instant the row is. */
  readonly clock: Instant;
  /** When the provider created the user, where that is known. */
  readonly sourceCreatedAt: Instant | null;
  /** Whether it is a tombstone. */
  readonly deleted: boolean;
  readonly username?: string | null;
  /** The names of the roles that the provider assigns. */
  readonly roles?: readonly string[];
}

/**
 * What the tables hold now: for a provider that tells what is, and leaves it to the reader to see what
 * has ended.
 */
export interface StoredState {
  /** Whose row a user's id is; undefined where there is none. */
  ownerOf(id: string): Promise<StoredOwner | undefined>;
  /** The organizations of a user's live memberships, as far as they are of this provider and these tenants. */
  organizationsOf(
    user: { readonly provider: ProviderName; readonly id: string },
    tenants: readonly string[],
  ): Promise<readonly { readonly id: string; readonly tenant: string }[]>;
  /** Whether there is, or was, anything of a tenant. */
  hasTenant(owner: Owner): Promise<boolean>;
  /** The ids of a tenant's live users whose `roles` hold this one, `limit` of them at most. */
  usersWithRole(owner: Owner, role: string, limit: number): Promise<readonly string[]>;
}
