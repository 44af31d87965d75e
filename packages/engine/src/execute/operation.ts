/** A request, and the operation it becomes: ready to be run, or to be polled. */
import type { EngineError } from '#base/errors.ts';
import type { HeaderList } from '#base/headers.ts';
import type { Session } from '#base/session.ts';

export interface GraphqlRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** What actions and logs need of the HTTP request or WebSocket connection. */
export interface RequestContext {
  readonly headers: HeaderList;
  readonly requestId: string;
}

export const ROW_COMMANDS = ['select', 'insert', 'update', 'delete', 'count'] as const;
export type RowCommand = (typeof ROW_COMMANDS)[number];

/** Rows by `/v1/query`, as any role may ask for them, and by `/v2/query`, for the admin alone. */
export interface RowCommands {
  /**
   * @param args unchecked; error paths begin at them (`$.objects[0]`)
   * @returns the answer's JSON value
   * @throws {EngineError}
   */
  run(type: RowCommand, args: unknown, session: Session): Promise<unknown>;
}

export type Operation = RunnableOperation | Subscription;

export interface RunnableOperation {
  readonly kind: 'query' | 'mutation';
  /** For logs and limits. */
  readonly name: string | undefined;
  /**
   * @returns the answer's JSON text, `{"data":…}` and perhaps `errors` (an action's)
   * @throws {EngineError} where Hasura answers with errors alone
   */
  run(context: RequestContext): Promise<OperationResult>;
}

export interface OperationResult {
  readonly body: string;
  /** Headers for the client, such as an action's `Set-Cookie`. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface Subscription {
  readonly kind: 'subscription';
  readonly name: string | undefined;
  /** Equal for subscriptions that one statement can answer together: role, text, source. */
  readonly shape: string;
  /** Equal for subscriptions of one shape whose answers are always equal: variables, session variables used. */
  readonly cohort: string;
  /** A streaming subscription goes on from its cursor; a live query answers with everything each time. */
  readonly streaming: boolean;
  /** Nothing is selected (`@include(if: false)`): it is complete as soon as it starts. */
  readonly isEmpty: boolean;
  /** Runs the shape once for all `cohorts` (this one among them); answers come in their order. */
  poll(cohorts: readonly PolledCohort[]): Promise<readonly PollAnswer[]>;
}

export interface PolledCohort {
  readonly subscription: Subscription;
  /** What the last answer gave; undefined at first and for live queries. */
  readonly cursor: unknown;
}

export type PollAnswer =
  /** `body` is JSON text, `{"data":…}`; undefined where a stream has nothing new. */
  { readonly body: string | undefined; readonly cursor?: unknown } | { readonly error: EngineError };
