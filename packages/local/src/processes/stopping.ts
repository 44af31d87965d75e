import { environment } from '#environment.ts';

/**
 * Settles when we are asked to end: by Ctrl-C, by SIGTERM, or because the program that started us is
 * gone (npm, or scripts/latchkey.js where it handed over on an older Node). A second Ctrl-C ends us at
 * once; what we started ends with us all the same.
 */
export function untilStopped(): Promise<undefined> {
  return new Promise((resolve) => {
    let watch: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearInterval(watch);
      for (const signal of SIGNALS) process.off(signal, stop);
      process.once('SIGINT', () => process.exit(130));
      resolve(undefined);
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    process.once('disconnect', stop);
    // The channel to that program must not keep us alive by itself.
    process.channel?.unref();
    // npm is what one sees and kills, and it takes at most its shell along: nobody would find us.
    if (environment.npm_lifecycle_event !== undefined) {
      const parent = process.ppid;
      watch = setInterval(() => {
        if (process.ppid !== parent) stop();
      }, PARENT_CHECK_MS);
      watch.unref();
    }
  });
}

const PARENT_CHECK_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
