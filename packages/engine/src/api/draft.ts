/**
 * The metadata one API request works on. Commands of a `bulk` see each other's changes; everything is
 * stored, and the engine's state swapped, only when the whole request has succeeded.
 */

import { EngineError } from '#base/errors.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata, Source } from '#metadata/types.ts';
import type { Catalog } from '#postgres/catalog.ts';
import type { EngineState, StateBuilder } from './state.ts';

export interface Draft {
  /** As of the last change. */
  readonly state: EngineState;
  readonly modified: boolean;
  /**
   * Sets `metadata`, unless objects that were consistent no longer are.
   * @param object the name of the object that the command is about: its own reason becomes the message
   * @throws {EngineError} `invalid-configuration`, `unexpected`; the draft is then unchanged
   */
  change(metadata: Metadata, object?: string): Promise<void>;
  /** Sets `metadata`, whatever becomes inconsistent. */
  replace(metadata: Metadata): Promise<readonly InconsistentObject[]>;
  /** Drops catalogues, so that the next change reads them again; all of them without names. */
  invalidate(sources?: readonly string[]): void;
  /** Takes over a catalogue that was read elsewhere. */
  learn(source: string, catalog: Catalog): void;
  /** All catalogues that are known to be current. */
  readonly catalogs: ReadonlyMap<string, Catalog>;
  /** Current catalogue of a source, read if need be. */
  catalog(source: Source): Promise<Catalog | undefined>;
}

export function createDraft(initial: EngineState, builder: StateBuilder): Draft {
  let state = initial;
  let modified = false;
  let catalogs = new Map(initial.catalogs);
  const build = async (metadata: Metadata) => {
    const next = await builder.build(metadata, state.resourceVersion, catalogs);
    catalogs = new Map(next.catalogs);
    return next;
  };
  const adopt = (next: EngineState) => {
    state = next;
    modified = true;
  };
  return {
    get state() {
      return state;
    },
    get catalogs() {
      return catalogs;
    },
    get modified() {
      return modified;
    },
    async change(metadata, object) {
      const next = await build(metadata);
      assertNoNewInconsistencies(state.inconsistencies, next.inconsistencies, object);
      adopt(next);
    },
    async replace(metadata) {
      const next = await build(metadata);
      adopt(next);
      return next.inconsistencies;
    },
    invalidate(sources) {
      for (const name of sources ?? [...catalogs.keys()]) catalogs.delete(name);
    },
    learn(source, catalog) {
      catalogs.set(source, catalog);
    },
    async catalog(source) {
      const known = catalogs.get(source.name);
      if (known !== undefined) return known;
      const next = await build(state.metadata);
      state = next;
      return next.catalogs.get(source.name);
    },
  };
}

function assertNoNewInconsistencies(
  before: readonly InconsistentObject[],
  after: readonly InconsistentObject[],
  object: string | undefined,
): void {
  const known = new Set(before.map(({ name }) => name));
  // Permissions that a role cannot inherit are reported, but never hold up a change.
  const fresh = after.filter(
    ({ name, type }) => !known.has(name) && type !== 'inherited role permission inconsistency',
  );
  if (fresh.length === 0) return;
  const own = fresh.filter(
    ({ name, type, definition }) =>
      name === object || (type === 'rest_endpoint' && mentions(definition, object)),
  );
  if (own.length > 0) {
    throw new EngineError('invalid-configuration', own.map(({ reason }) => reason).join(', '), {
      internal: own,
    });
  }
  // Hasura's two ways of checking: commands about one object look at it first and refuse with 400.
  const found = object === undefined ? 'newly found' : 'new';
  throw new EngineError('unexpected', `cannot continue due to ${found} inconsistent metadata`, {
    status: object === undefined ? 500 : 400,
    internal: fresh,
  });
}

/** Whether a conflict of several REST endpoints is about this one. */
function mentions(definition: unknown, object: string | undefined): boolean {
  return (
    Array.isArray(definition) && definition.some((one: unknown) => `rest_endpoint ${nameOf(one)}` === object)
  );
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
}
