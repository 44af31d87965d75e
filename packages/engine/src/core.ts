/**
 * What the shell (`server/`, `api/`) asks of the core (`schema/`, `plan/`, `sql/`), in one place.
 *
 * The core is made anew whenever metadata or a database's catalogue changes, and swapped whole; requests
 * under way keep the one they began with.
 */
import type { Pool } from 'pg';
import type { HeaderList } from './auth/headers.ts';
import type { Catalog } from './catalog/types.ts';
import type { EngineConfig } from './config.ts';
import type { EngineError } from './errors.ts';
import type { Metadata, Source } from './metadata/types.ts';
import type { InconsistentObject } from './schema/tracked.ts';
import type { Session } from './session.ts';

/** A source whose database answered; sources that did not are the shell's to report. */
export interface CoreSource {
  readonly metadata: Source;
  readonly pool: Pool;
  readonly catalog: Catalog;
}

export interface CoreInput {
  readonly metadata: Metadata;
  readonly sources: readonly CoreSource[];
  /** Where asynchronous actions are logged. */
  readonly metadataPool: Pool;
  readonly config: EngineConfig;
}

/**
 * `schema/build.ts`: reads the rows of enum tables, so it may wait for a database. Objects that do not fit
 * become inconsistencies.
 * @throws {EngineError} for what Hasura refuses as a whole: root fields of one name, roles in a circle
 */
export type BuildCore = (input: CoreInput) => Promise<Core>;

export interface GraphqlRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** What of the HTTP request or WebSocket connection actions and logs need. */
export interface RequestContext {
  readonly headers: HeaderList;
  readonly requestId: string;
}

export interface Core {
  readonly inconsistencies: readonly InconsistentObject[];
  /**
   * Parses, validates and plans (cached by role and text), but runs nothing.
   * @throws {EngineError} for a request that is wrong before it runs
   */
  prepare(request: GraphqlRequest, session: Session): Operation;
  /** `/v1/graphql/explain`: what each root field would run. @throws {EngineError} */
  explain(request: GraphqlRequest, session: Session): Promise<unknown>;
  readonly rows: RowCommands;
  /** The REST endpoints as an OpenAPI document. */
  openApi(): unknown;
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
