/**
 * Settles when we are asked to end: by Ctrl-C, by SIGTERM, or because the program that handed over
 * to us (scripts/latchkey.js on an older Node) is gone. A second Ctrl-C ends us at once; what we
 * started ends with us all the same.
 */
export function untilStopped(): Promise<undefined> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of SIGNALS) process.off(signal, stop);
      process.once('SIGINT', () => process.exit(130));
      resolve(undefined);
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    process.once('disconnect', stop);
    // The channel to that program must not keep us alive by itself.
    process.channel?.unref();
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
