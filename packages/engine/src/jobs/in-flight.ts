/** The deliveries under way: no more than so many, and known by id when the engine closes. */

export interface InFlight {
  readonly free: number;
  /** Runs `work` until it is done; it must not throw. */
  start(id: string, work: (signal: AbortSignal) => Promise<void>): void;
  /**
   * Waits for those under way, then gives up on the rest.
   * @returns the ids of those given up
   */
  close(graceMs: number): Promise<string[]>;
}

export function createInFlight(limit: number): InFlight {
  const running = new Map<string, Promise<void>>();
  const giveUp = new AbortController();
  return {
    get free() {
      return limit - running.size;
    },
    start(id, work) {
      running.set(
        id,
        work(giveUp.signal).finally(() => running.delete(id)),
      );
    },
    async close(graceMs) {
      if (running.size === 0) return [];
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.allSettled(running.values()), grace]);
      clearTimeout(timer);
      const left = [...running.keys()];
      giveUp.abort(new Error('the engine is closing'));
      await Promise.allSettled(running.values());
      return left;
    },
  };
}
