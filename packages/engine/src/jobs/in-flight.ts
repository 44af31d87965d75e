/** Deliveries in progress: at most a given number, known by id when the engine closes. */

export interface InFlight {
  readonly free: number;
  /** Runs `work` until it is done; it must not throw. */
  start(id: string, work: (signal: AbortSignal) => Promise<void>): void;
  /**
   * Waits for deliveries in progress, then aborts the rest.
   * @returns the ids of the aborted ones
   */
  close(graceMs: number): Promise<string[]>;
}

export function createInFlight(limit: number): InFlight {
  const running = new Map<string, Promise<void>>();
  const controller = new AbortController();
  return {
    get free() {
      return limit - running.size;
    },
    start(id, work) {
      running.set(
        id,
        work(controller.signal).finally(() => running.delete(id)),
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
      controller.abort(new Error('the engine is closing'));
      await Promise.allSettled(running.values());
      return left;
    },
  };
}
