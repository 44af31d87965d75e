/** Notices what other engines on the same database do to the metadata. */

import type { Logger } from '#base/log.ts';
import { createLoop } from '#jobs/loop.ts';
import type { ApiService } from './service.ts';

export interface SchemaSync {
  /** Does not wait for a database that gives no answer. */
  close(): Promise<void>;
}

/** How long new metadata that is just being read may take once the engine is asked to stop. */
const GRACE_MS = 2000;

/** @param intervalMs 0 does not look at all */
export function startSchemaSync(
  api: Pick<ApiService, 'followOthers'>,
  intervalMs: number,
  log: Logger,
): SchemaSync {
  if (intervalMs === 0) return { close: async () => {} };
  const closing = new AbortController();
  let failure: string | undefined;
  const look = async () => {
    try {
      await api.followOthers(closing.signal);
      if (failure !== undefined) log.info('schema-sync', { message: 'the metadata can be read again' });
      failure = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Once, not every time it is tried again.
      if (message !== failure && !closing.signal.aborted) log.error('schema-sync', { error: message });
      failure = message;
    }
    return intervalMs;
  };
  const loop = createLoop(look, () => {});
  return {
    async close() {
      closing.abort();
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GRACE_MS);
      });
      await Promise.race([loop.close(), enough]);
      clearTimeout(timer);
    },
  };
}
