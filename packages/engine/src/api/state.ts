/**
 * What the engine knows at one instant: metadata, the databases' catalogues and the core made of them.
 * States are immutable; the holder swaps them whole.
 */
import type pg from 'pg';
import { objectName } from '#api/editing/names.ts';
import type { EngineConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import type { BuildCore, Core } from '#core/core.ts';
import { checkTriggers } from '#events/check.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata, Source } from '#metadata/types.ts';
import { unsupportedObjects } from '#metadata/unsupported-objects.ts';
import { assertNoRoleCycles } from '#permissions/role-cycles.ts';
import type { Catalog } from '#postgres/catalog.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { describeFailure } from '#storage/attempting-pool.ts';
import type { ConnectedSource, SourcePools } from '#storage/sources.ts';
import { checkInheritedRoles } from './inherited-roles.ts';
import { checkEndpoints, type RestRoute } from './rest-routes.ts';

export interface EngineState {
  readonly metadata: Metadata;
  readonly resourceVersion: number;
  /** By source name; sources whose database did not answer are missing. */
  readonly catalogs: ReadonlyMap<string, Catalog>;
  /** Those whose database answered. */
  readonly sources: readonly ConnectedSource[];
  readonly core: Core;
  readonly inconsistencies: readonly InconsistentObject[];
  readonly restRoutes: readonly RestRoute[];
}

export interface StateBuilder {
  /**
   * @param known catalogues that need not be read again
   * @throws {EngineError} for metadata that Hasura refuses as a whole (root fields of one name)
   */
  build(
    metadata: Metadata,
    resourceVersion: number,
    known: ReadonlyMap<string, Catalog>,
  ): Promise<EngineState>;
  pool(source: Source): pg.Pool;
}

export function createStateBuilder(
  config: EngineConfig,
  pools: SourcePools,
  metadataPool: pg.Pool,
  buildCore: BuildCore,
): StateBuilder {
  return {
    pool: (source) => pools.pool(source),
    async build(metadata, resourceVersion, known) {
      assertNoRoleCycles(metadata.inherited_roles);
      const catalogs = new Map<string, Catalog>();
      const broken: InconsistentObject[] = [];
      const sources: ConnectedSource[] = [];
      await Promise.all(
        metadata.sources.map(async (source) => {
          try {
            const pool = pools.pool(source);
            const catalog = known.get(source.name);
            if (catalog === undefined) await pools.prepare(source);
            catalogs.set(source.name, catalog ?? (await readCatalog(pool)));
          } catch (error) {
            broken.push(sourceInconsistency(source.name, error));
          }
        }),
      );
      for (const source of metadata.sources) {
        const catalog = catalogs.get(source.name);
        if (catalog !== undefined) sources.push({ metadata: source, pool: pools.pool(source), catalog });
      }
      const roles = checkInheritedRoles(metadata);
      const core = await buildCore({ metadata: roles.usable, sources, metadataPool, config });
      const rest = checkEndpoints(metadata);
      return {
        metadata,
        resourceVersion,
        catalogs,
        sources,
        core,
        inconsistencies: [
          ...broken,
          ...roles.inconsistencies,
          ...unsupportedObjects(metadata),
          ...core.inconsistencies,
          ...checkTriggers(metadata, sources, config.env, objectName),
          ...rest.inconsistencies,
        ],
        restRoutes: rest.routes,
      };
    },
  };
}

function sourceInconsistency(name: string, error: unknown): InconsistentObject {
  const reason = error instanceof EngineError ? error.message : `connection error`;
  return {
    definition: name,
    name: objectName.source(name),
    reason: `Inconsistent object: ${reason}`,
    type: 'source',
    ...(error instanceof EngineError ? {} : { message: describeFailure(error) }),
  };
}
