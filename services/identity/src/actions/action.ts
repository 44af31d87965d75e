import { z } from 'zod';
import type { Instant, Person } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import type { Accounts, Tokens } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import type { Writer } from '#sync/writer.ts';

/** What actions work with. */
export interface ActionServices {
  readonly providers: Registry;
  readonly engine: Pick<HasuraClient, 'request'>;
  readonly writer: Pick<Writer, 'write'>;
  /** Has what is remembered of these users' rows read anew. */
  readonly users: { forget(ids: readonly string[]): void };
}

/** Whose action it is. */
export interface Caller extends Person {
  /** What their provider lets them do with their own account; undefined where it lets them do nothing. */
  readonly accounts: Accounts | undefined;
  /** Of their provider. */
  readonly tokens: Tokens;
  /** The clock of their row, where there is one. */
  readonly clock: Instant | undefined;
  /** When their token was issued; undefined where Hasura alone looks at tokens, and does not tell. */
  readonly issuedAt: Instant | undefined;
}

/** The type `User` of metadata/actions.graphql. Hasura adds the row, by the caller's own permissions. */
export interface User {
  readonly id: string;
}

/**
 * Reads the token of the call's Authorization header. Hasura passes it on only of actions with
 * `forward_client_headers`.
 *
 * @returns undefined where there is no such header
 * @throws LatchkeyError `token-invalid` for what is no token, or where it comes twice
 */
export type Bearer = () => string | undefined;

/** One Hasura action; its name is that of a field of metadata/actions.graphql. */
export interface Action {
  readonly name: string;
  /** Whether it may be called again by whom it has deleted; all others are then refused. */
  readonly isForDeleted?: boolean;
  /**
   * @param input as Hasura checked it against the action's arguments
   * @param bearer the token that Hasura passes on; what it says is not yet verified
   * @throws LatchkeyError `request-invalid`, `not-found`, and what the provider and the writer throw
   */
  run(services: ActionServices, caller: Caller, input: unknown, bearer: Bearer): Promise<User>;
}

/** What Hasura posts. Whoever calls is in the session variables, and nowhere else. */
export const ACTION_CALL = z.object({
  action: z.object({ name: z.string() }),
  input: z.record(z.string(), z.unknown()),
  session_variables: z.record(z.string(), z.string()),
});
