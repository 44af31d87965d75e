import { LatchkeyError } from '../core/errors.ts';
import type { ProviderName } from '../core/records.ts';
import type { VanishingLimit } from '../core/settings/vanishing.ts';
import type { Engine } from '../hasura/graphql.ts';
import type { Provider } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';
import { repair } from './reconcile.ts';
import { driftOf } from './report.ts';
import type { Writer } from './writer.ts';

/**
 * How the reconcile of a provider ended
 * - `done`: its tables are what it holds; `differences` were found and mended
 * - `under-way`: another process is at it
 * - `skipped`: its settings do not allow for it
 * - `failed`
 */
export interface ReconcileOutcome {
  readonly provider: ProviderName;
  readonly status: 'done' | 'under-way' | 'skipped' | 'failed';
  readonly differences?: number;
  /** Why, and the mend. */
  readonly reason?: string;
}

export interface ReconcileJob {
  /** Repairs every provider, one after the other. While that is under way, a second call joins it. */
  run(): Promise<readonly ReconcileOutcome[]>;
  /** Ends what is under way, in order. */
  close(): Promise<void>;
}

export function createReconcileJob(context: {
  readonly providers: Registry;
  readonly engine: Pick<Engine, 'ask'>;
  readonly writer: Pick<Writer, 'write'>;
  readonly vanishing: VanishingLimit;
}): ReconcileJob {
  const { providers, engine, writer, vanishing } = context;
  const closing = new AbortController();
  let underWay: Promise<readonly ReconcileOutcome[]> | undefined;

  async function runOne(provider: Provider): Promise<ReconcileOutcome> {
    const { name } = provider;
    try {
      const report = await repair({ provider, engine, writer, signal: closing.signal }, { vanishing });
      return { provider: name, status: 'done', differences: driftOf(report) };
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error;
      return { provider: name, status: statusOf(error), reason: error.message };
    }
  }

  async function runAll(): Promise<readonly ReconcileOutcome[]> {
    const outcomes: ReconcileOutcome[] = [];
    for (const provider of providers.values()) outcomes.push(await runOne(provider));
    return outcomes;
  }

  return {
    run() {
      underWay ??= runAll().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    async close() {
      closing.abort(new LatchkeyError('shutting-down', 'The service is stopping.'));
      await underWay?.catch(() => {});
    },
  };
}

function statusOf({ code }: LatchkeyError): ReconcileOutcome['status'] {
  if (code === 'reconcile-under-way') return 'under-way';
  return code === 'configuration-invalid' ? 'skipped' : 'failed';
}
