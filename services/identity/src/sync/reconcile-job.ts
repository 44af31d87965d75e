import { setTimeout as sleep } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { ProviderName } from '#core/records.ts';
import type { DeletionLimit } from '#core/settings/deletion-limit.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { hasDirectory, withoutPart } from '#providers/parts.ts';
import type { Provider } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import { repair } from './reconcile.ts';
import { driftOf } from './report.ts';
import type { Writer } from './writer.ts';

/**
 * How the reconcile of a provider ended
 * - `done`: its tables are what it holds; `differences` were found and fixed
 * - `under-way`: another process is at it
 * - `skipped`: its settings do not allow for it, or it has no directory
 * - `failed`
 */
export interface ReconcileOutcome {
  readonly provider: ProviderName;
  readonly status: 'done' | 'under-way' | 'skipped' | 'failed';
  readonly differences?: number;
  /** What to know of what the provider lists. */
  readonly notices?: readonly string[];
  /** Why, and the fix. */
  readonly reason?: string;
}

export interface ReconcileJob {
  /** Repairs every provider, one after the other. While that is under way, a second call joins it. */
  run(): Promise<readonly ReconcileOutcome[]>;
  /**
   * Repairs one provider as soon as nothing else is under way here, from a listing that begins after this
   * call. For what a delivery could not bring whole; however many ask for it meanwhile, it is done once.
   */
  schedule(provider: ProviderName): Promise<ReconcileOutcome>;
  /** Ends what is under way, in order. */
  close(): Promise<void>;
}

/** Half an hour; after that the next scheduled one does it. */
const MAX_ATTEMPTS = 60;

export function createReconcileJob(context: {
  readonly providers: Registry;
  readonly engine: Pick<HasuraClient, 'request'>;
  readonly writer: Pick<Writer, 'write'>;
  readonly deletionLimit: DeletionLimit;
  /** Between two attempts where another process is at it, in milliseconds. */
  readonly waitMs?: number;
}): ReconcileJob {
  const { providers, engine, writer, deletionLimit, waitMs = 30_000 } = context;
  const closing = new AbortController();
  let underWay: Promise<readonly ReconcileOutcome[]> | undefined;
  const scheduled = new Map<ProviderName, Promise<ReconcileOutcome>>();
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: the database lets no two of a provider run at once. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  }

  async function runOne(provider: Provider, settings: { restart?: boolean } = {}): Promise<ReconcileOutcome> {
    const { name } = provider;
    const { signal } = closing;
    if (!hasDirectory(provider)) {
      const { message } = withoutPart(provider, 'directory', 'configuration-invalid');
      return { provider: name, status: 'skipped', reason: message };
    }
    try {
      const report = await repair({ provider, engine, writer, signal }, { deletionLimit, ...settings });
      const { notices } = report;
      return {
        provider: name,
        status: 'done',
        differences: driftOf(report),
        ...(notices.length > 0 && { notices }),
      };
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

  /** What another process is at may have listed too early. */
  async function runNow(name: ProviderName): Promise<ReconcileOutcome> {
    const provider = providers.get(name);
    if (provider === undefined) throw new Error(`${name} is not set up.`);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await runOne(provider, { restart: true });
      if (outcome.status !== 'under-way' || attempt === MAX_ATTEMPTS) return outcome;
      await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  return {
    run() {
      underWay ??= inTurn(runAll).finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    schedule(name) {
      const waiting = scheduled.get(name);
      if (waiting !== undefined) return waiting;
      const running = inTurn(() => {
        // From here on a listing is under way, which may miss what is asked for later.
        scheduled.delete(name);
        return runNow(name);
      });
      scheduled.set(name, running);
      return running;
    },
    async close() {
      closing.abort(new LatchkeyError('shutting-down', 'The service is stopping.'));
      await last;
    },
  };
}

function statusOf({ code }: LatchkeyError): ReconcileOutcome['status'] {
  if (code === 'reconcile-under-way') return 'under-way';
  return code === 'configuration-invalid' ? 'skipped' : 'failed';
}
