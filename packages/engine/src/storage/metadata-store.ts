/**
 * Where metadata and the CLI's state are kept: Hasura's own tables in schema `hdb_catalog`, so that a
 * database changes hands between the two engines.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import { withAdvisoryLock } from '#postgres/advisory-lock.ts';
import { CATALOG_VERSION, METADATA_TABLES } from './tables.ts';

const versioned = z.object({ resource_version: z.number() });
const stored = versioned.extend({ metadata: z.unknown() });
const stateRow = z.object({ id: z.string(), cli_state: z.unknown(), console_state: z.unknown() });

export interface StoredMetadata {
  readonly metadata: unknown;
  readonly resourceVersion: number;
}

export interface MetadataStore {
  /** Makes the tables where they are missing; safe to run beside another engine. */
  prepare(): Promise<void>;
  /** Undefined on a fresh database. */
  load(): Promise<StoredMetadata | undefined>;
  /**
   * The version of what is stored, cheaply; undefined on a fresh database.
   * @param signal breaks off a database that does not answer
   */
  version(signal: AbortSignal): Promise<number | undefined>;
  /** Stores the first metadata of a fresh database, as version 1. */
  create(metadata: unknown): Promise<number>;
  /**
   * Replaces version `expected`, and notifies other engines on the database.
   * @param sources names of those whose catalogues the others are to read again
   * @returns the new version
   * @throws {EngineError} `conflict` where another engine stored first
   */
  save(metadata: unknown, expected: number, sources: readonly string[]): Promise<number>;
  catalogState(): Promise<{ id: string; cli_state: unknown; console_state: unknown }>;
  setCatalogState(type: 'cli' | 'console', state: unknown): Promise<void>;
  /** Whether the database answers. */
  ping(): Promise<void>;
}

export function createMetadataStore(pool: Pool): MetadataStore {
  const instance = randomUUID();
  return {
    async prepare() {
      const known = await pool.query("SELECT to_regclass('hdb_catalog.hdb_metadata') AS present");
      if (z.object({ present: z.string().nullable() }).parse(known.rows[0]).present !== null) return;
      await withAdvisoryLock(pool, 'hdb_catalog', async (client) => {
        await client.query(METADATA_TABLES);
        await client.query(
          'INSERT INTO hdb_catalog.hdb_version (version, upgraded_on) VALUES ($1, now()) ON CONFLICT DO NOTHING',
          [CATALOG_VERSION],
        );
      });
    },
    async load() {
      const { rows } = await pool.query(
        'SELECT metadata, resource_version FROM hdb_catalog.hdb_metadata WHERE id = 1',
      );
      if (rows.length === 0) return undefined;
      const row = stored.parse(rows[0]);
      return { metadata: row.metadata, resourceVersion: row.resource_version };
    },
    async version(signal) {
      const client = await pool.connect();
      const breakOff = () => client.release(true);
      if (signal.aborted) {
        breakOff();
        signal.throwIfAborted();
      }
      signal.addEventListener('abort', breakOff, { once: true });
      try {
        const { rows } = await client.query(
          'SELECT resource_version FROM hdb_catalog.hdb_metadata WHERE id = 1',
        );
        return rows.length === 0 ? undefined : versioned.parse(rows[0]).resource_version;
      } finally {
        signal.removeEventListener('abort', breakOff);
        if (!signal.aborted) client.release();
      }
    },
    async create(metadata) {
      const { rows } = await pool.query(
        `INSERT INTO hdb_catalog.hdb_metadata (id, metadata) VALUES (1, $1)
         ON CONFLICT (id) DO UPDATE SET metadata = EXCLUDED.metadata,
           resource_version = hdb_catalog.hdb_metadata.resource_version + 1
         RETURNING metadata, resource_version`,
        [JSON.stringify(metadata)],
      );
      return stored.parse(rows[0]).resource_version;
    },
    async save(metadata, expected, sources) {
      const notification = { metadata: true, remote_schemas: [], sources, data_connectors: [] };
      const { rows } = await pool.query(
        `WITH saved AS (
           UPDATE hdb_catalog.hdb_metadata SET metadata = $1, resource_version = resource_version + 1
           WHERE id = 1 AND resource_version = $2 RETURNING resource_version
         ), told AS (
           INSERT INTO hdb_catalog.hdb_schema_notifications (id, notification, resource_version, instance_id)
           SELECT 1, $3, resource_version, $4 FROM saved
           ON CONFLICT (id) DO UPDATE SET notification = EXCLUDED.notification,
             resource_version = EXCLUDED.resource_version, instance_id = EXCLUDED.instance_id
         )
         SELECT resource_version FROM saved`,
        [JSON.stringify(metadata), expected, JSON.stringify(notification), instance],
      );
      if (rows.length === 0) throw conflict(expected);
      return versioned.parse(rows[0]).resource_version;
    },
    async catalogState() {
      const { rows } = await pool.query(
        'SELECT hasura_uuid::text AS id, cli_state, console_state FROM hdb_catalog.hdb_version',
      );
      return stateRow.parse(rows[0]);
    },
    async setCatalogState(type, state) {
      const column = type === 'cli' ? 'cli_state' : 'console_state';
      await pool.query(`UPDATE hdb_catalog.hdb_version SET ${column} = $1`, [JSON.stringify(state)]);
    },
    async ping() {
      await pool.query('SELECT 1');
    },
  };
}

/** The metadata was changed in between. */
export function conflict(referenced: number): EngineError {
  return new EngineError(
    'conflict',
    `metadata resource version referenced (${referenced}) did not match current version`,
  );
}
