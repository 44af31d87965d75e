/** A pool that connects in the first of several ways that works, and looks again once that no longer does. */
import pg from 'pg';
import type { Attempt } from './connection-attempts.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The pool's own limit is on waiting for a connection that others use: however long that takes, as in Hasura. */
class PooledClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }
}

type Done = (error?: unknown, release?: boolean) => void;
type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, done: Done) => void;

export class AttemptingPool extends pg.Pool {
  readonly #attempts: readonly [Attempt, ...Attempt[]];
  /** Which attempt works is known; where there is one alone, nothing need be known. */
  #isSettled: boolean;
  #settling: Promise<void> | undefined;

  constructor(attempts: readonly [Attempt, ...Attempt[]], options: pg.PoolConfig) {
    const [{ url, ssl }] = attempts;
    super({ ...options, Client: PooledClient, connectionString: url, ssl });
    this.#attempts = attempts;
    this.#isSettled = attempts.length === 1;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (this.#isSettled) {
      if (callback !== undefined) {
        super.connect(this.#watching(callback));
        return undefined;
      }
      return super.connect().catch((error: unknown) => {
        this.#doubt(error);
        throw error;
      });
    }
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    if (callback === undefined) return this.#settling.then(() => super.connect());
    this.#settling.then(
      () => super.connect(callback),
      (error: Error) => callback(error, undefined, () => {}),
    );
    return undefined;
  }

  #watching(callback: Callback): Callback {
    return (error, client, done) => {
      if (error !== undefined && error !== null) this.#doubt(error);
      callback(error, client, done);
    };
  }

  /** Another host may be the one that answers now. */
  #doubt(error: unknown): void {
    if (this.#attempts.length > 1 && isOfConnection(error)) this.#isSettled = false;
  }

  /** @throws what the first attempt ended in, or a later one that came further */
  async #settle(): Promise<void> {
    let failure: unknown;
    for (const [index, { url, ssl }] of this.#attempts.entries()) {
      const client = new PooledClient({ connectionString: url, ssl });
      client.on('error', () => {});
      try {
        await client.connect();
      } catch (error) {
        if (failure === undefined || isOfConnection(failure)) failure = error;
        // Who is refused here may come in without encryption, or with it; other hosts are not asked.
        if (isRefusal(error) && this.#attempts[index + 1]?.url !== url) break;
        continue;
      }
      this.options.connectionString = url;
      this.options.ssl = ssl;
      this.#isSettled = true;
      await client.end();
      return;
    }
    throw failure;
  }
}

/** Not of a server that answered. */
const isOfConnection = (error: unknown) => !(error instanceof pg.DatabaseError);

const isRefusal = (error: unknown) =>
  error instanceof pg.DatabaseError && error.code?.startsWith('28') === true;

/** Why a database cannot be reached, in one line: where several addresses fail, Node's own message is empty. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line = ''] = error.message.split('\n');
  if (line !== '') return line;
  return 'code' in error ? String(error.code) : error.name;
}
