import type { IncomingHttpHeaders } from 'node:http';
import type { JwtSecret } from '@latchkey/core/jwt-secret';
import type { Delivery, ParsedDelivery } from '#core/deliveries.ts';
import type { IdentityRecord, Instant, Person, ProviderName, RecordKey, UserRecord } from '#core/records.ts';
import type { KeptKeys } from './key-source.ts';

/** A webhook request as it came in. Signatures cover the bytes, so they are kept as they were. */
export interface RawRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly receivedAt: Instant;
}

/** An item of a provider's answer that cannot be read. It never stops the others. */
export interface UnreadableItem {
  /** What it is, as far as can be told without personal data: `user acme/ada`, `user without an id`. */
  readonly name: string;
  readonly reason: string;
}

/** One page of everything a provider holds. */
export interface DirectoryPage {
  readonly records: readonly IdentityRecord[];
  /** What was passed over: a listing with any of it is incomplete, and nothing is deleted by it. */
  readonly unreadable?: readonly UnreadableItem[];
  /** What whoever looks at the report should know of the listing. The same text is told once. */
  readonly notice?: string;
  /** Hand this back to go on after this page. */
  readonly cursor: string;
  /** Whether it comes again, whole or in part, when the listing is gone on with at its cursor or a later one. */
  readonly isReadAnew?: boolean;
}

/** What a provider's webhooks say. */
export interface Webhooks {
  /**
   * Authenticates a webhook request.
   * @throws LatchkeyError `signature-invalid`
   */
  verify(request: RawRequest): Delivery;
  /**
   * Parses an authenticated delivery. Never throws for what the delivery says, only for what the
   * provider's API does not answer (`provider-unreachable`).
   */
  parse(delivery: Delivery): Promise<ParsedDelivery>;
}

/** All that a provider holds, page by page. */
export interface Listing {
  /**
   * Everything the provider holds now, page by page: organizations, users, then memberships.
   * Waits as long as the provider asks when it limits the rate.
   *
   * @param options.cursor where an earlier run stopped; from the start if not given
   * @throws LatchkeyError `provider-unreachable`
   */
  pages(options?: { cursor?: string; signal?: AbortSignal }): AsyncIterable<DirectoryPage>;
  /**
   * What the clock of a page's records is: that of the `state` itself, or the instant of its `reading`,
   * which says nothing of whether anything has changed.
   */
  readonly clock: 'state' | 'reading';
  /**
   * The tenants whose people it lists; undefined for all of the provider's. What is stored of other
   * tenants is none of its business.
   */
  readonly tenants?: readonly string[] | undefined;
  /** About how many records all pages hold, where the provider tells. */
  total?(signal?: AbortSignal): Promise<number>;
}

/** What a provider holds: all of it, and one thing by itself. */
export interface Directory extends Listing {
  /**
   * One thing, read by itself: pages that are counted off by position may pass over somebody while
   * others are being deleted, so what they leave out is asked for again before it is called gone.
   *
   * @returns undefined where the provider holds no such thing, or it is not kept in step
   * @throws LatchkeyError `provider-unreachable`
   */
  lookup(key: RecordKey, signal?: AbortSignal): Promise<IdentityRecord | undefined>;
  /**
   * Whether the place of a user in another tenant is empty, so that they may have moved from there. A
   * provider whose users cannot move has none.
   *
   * @throws LatchkeyError `provider-unreachable`
   */
  hasLeft?(user: Pick<Person, 'tenant' | 'id'>, signal?: AbortSignal): Promise<boolean>;
}

/** Something to enter by hand on one of the provider's screens. */
export interface SetupStep {
  /** The way to the screen, as its menus name it. */
  readonly where: string;
  readonly what: string;
  /** The exact text to paste, where there is one. */
  readonly paste?: string;
}

/** How Hasura is made to trust the provider, and the provider to serve Hasura. */
export interface EngineAuth {
  /** Whose tokens are accepted: the first by Hasura's JWT mode too, the others by the auth hook alone. */
  readonly issuers: readonly [string, ...string[]];
  readonly jwtSecret: JwtSecret;
  /**
   * Why Hasura's JWT mode, which sees an id and not whose it is, would take one person for another, and
   * the fix; undefined where it can keep them apart.
   */
  readonly needsHook?: string | undefined;
  /** What to know of this setting besides, as sentences. */
  readonly notes?: readonly string[] | undefined;
  /** Whose tokens JWT mode accepts, where that is one tenant alone: its sessions do not tell. */
  readonly tenant?: string | undefined;
  readonly setup: readonly SetupStep[];
}

/** What a provider's token says, once it has been verified. */
export interface VerifiedToken {
  readonly issuer: string;
  /** Whose it is: this provider's, and the tenant that issued it or owns the user; empty if it is not told. */
  readonly tenant: string;
  readonly subject: string;
  readonly expiresAt: Instant;
  /** When the token was issued, to the second; undefined where it does not say. */
  readonly issuedAt: Instant | undefined;
  /** Among the allowed ones. */
  readonly defaultRole: string;
  /** Of those that the configuration lists; never `admin`. */
  readonly allowedRoles: readonly string[];
  /** `x-hasura-*` in lower case, without the role; the values as the token has them. */
  readonly sessionVariables: Readonly<Record<string, unknown>>;
}

/** What users may change of their own profile; what is left out stays as it is. */
export interface ProfileChange {
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** The whole name, where the provider keeps one beside its parts. */
  readonly name?: string | undefined;
}

/**
 * What users may do with their own account: one of this provider, and of this tenant alone; whoever else
 * bears the id is not touched. Somebody is waiting for it, so what fails is not tried again here. Each
 * may throw LatchkeyError `provider-unreachable`.
 */
export interface Accounts {
  /** @returns the user as they are at this moment; undefined where there is none, or none kept in step */
  read(user: Person): Promise<UserRecord | undefined>;
  /**
   * @returns the user as they are afterwards; undefined where there is none
   * @throws LatchkeyError `request-invalid` for what the provider does not take
   */
  change(user: Person, change: ProfileChange): Promise<UserRecord | undefined>;
  /**
   * Deletes the user. That there is none is as good.
   * @throws LatchkeyError `request-invalid` where the provider does not let this one go
   */
  remove(user: Person): Promise<void>;
  /**
   * Ends the user's sessions at the provider, so that no new tokens come of them; those that were issued
   * hold until they expire. A provider that cannot has none. That there is no such user is as good.
   */
  endSessions?(user: Person): Promise<void>;
}

/** How a provider's tokens are trusted. */
export interface Tokens {
  /** @throws LatchkeyError `configuration-invalid` where the issuer is not configured */
  engineAuth(): EngineAuth;
  /**
   * The keys that tokens are verified by, for the relay.
   * @throws LatchkeyError `provider-unreachable`
   */
  keys(): Promise<KeptKeys>;
  /**
   * Verifies a token of this provider fully, and translates it.
   * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where its keys cannot be had
   */
  verifyToken(token: string): Promise<VerifiedToken>;
  /**
   * The bearer of a token as the token, or whoever issued it, says who they are. Only of a provider whose accounts
   * cannot be read. The token is verified fully.
   * @throws LatchkeyError `token-invalid`, or `provider-unreachable`
   */
  profile?(token: string): Promise<UserRecord>;
}

/** One identity provider. What uses a part of it takes that part alone. */
export interface Provider {
  readonly name: ProviderName;
  readonly tokens: Tokens;
  /** Absent where it sends none. */
  readonly webhooks?: Webhooks;
  /** Absent where nobody can be listed or looked up. */
  readonly directory?: Directory;
  /** Absent where users' accounts are out of reach. */
  readonly accounts?: Accounts;
}

/** One with all parts. */
export type CompleteProvider = Provider & Required<Pick<Provider, 'webhooks' | 'directory' | 'accounts'>>;
