/**
 * What the API and the servers ask of everything below them, in one place.
 *
 * A core is made anew whenever metadata or a database's catalogue changes, and swapped whole; requests under way
 * keep the one they began with.
 */
import type { Pool } from 'pg';
import type { EngineConfig } from '#base/config.ts';
import type { Session } from '#base/session.ts';
import type { GraphqlRequest, Operation, RowCommands } from '#execute/operation.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata } from '#metadata/types.ts';
import type { ConnectedSource } from '#storage/sources.ts';

export interface CoreInput {
  readonly metadata: Metadata;
  readonly sources: readonly ConnectedSource[];
  /** Where asynchronous actions are logged. */
  readonly metadataPool: Pool;
  readonly config: EngineConfig;
}

/**
 * Reads the rows of enum tables, so it may wait for a database. Objects that do not fit
 * become inconsistencies.
 * @throws {EngineError} for what Hasura refuses as a whole: root fields of one name, roles in a circle
 */
export type BuildCore = (input: CoreInput) => Promise<Core>;

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
