/** What a command of the metadata and query APIs is, and what it works with. */
import type { Pool } from 'pg';
import type { z } from 'zod';
import type { EngineConfig } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import type { Session } from '#base/session.ts';
import { parseWith } from '#metadata/parse.ts';
import type { MetadataStore } from '#storage/metadata-store.ts';
import type { Draft } from './draft.ts';
import type { StateBuilder } from './state.ts';

export interface CommandContext {
  readonly draft: Draft;
  readonly session: Session;
  readonly config: EngineConfig;
  readonly store: MetadataStore;
  /** The database of `hdb_catalog`. */
  readonly metadataPool: Pool;
  readonly builder: StateBuilder;
  readonly log: Logger;
}

export interface Command {
  /**
   * Reads the arguments; what it returns runs the command.
   * @param at where in the request the arguments stand
   * @throws {EngineError} `parse-failed`
   */
  prepare(args: unknown, at: readonly PropertyKey[]): (context: CommandContext) => Promise<unknown>;
}

export type Commands = Readonly<Record<string, Command>>;

/** @param reader what Hasura calls its reader of the arguments, where its errors name it */
export function command<Args extends z.ZodType>(
  schema: Args,
  run: (args: z.output<Args>, context: CommandContext) => Promise<unknown> | unknown,
  reader?: string,
): Command {
  return {
    prepare(args, at) {
      const parsed = parseWith(schema, args, at, reader);
      return async (context) => run(parsed, context);
    },
  };
}

export const SUCCESS = { message: 'success' } as const;

export type Api = 'v1/metadata' | 'v2/query' | 'v1/query';
