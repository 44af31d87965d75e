import type { Wait } from '@latchkey/identity/providers/with-retry';
import type { ReconcilePosition } from '@latchkey/identity/sync/reconcile-context';

const LINE_EVERY_MS = 5_000;
const UPDATE_EVERY_MS = 200;
/** The rate is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

export interface ProgressPrinter {
  show(reached: ReconcilePosition): void;
  /** Tells that the provider did not answer, and when it is asked again. */
  wait(wait: Wait): void;
  /** Leaves the last state standing. */
  end(): void;
}

/**
 * Prints how far a reconcile is: rows, rate and time left. On a terminal one line that is written
 * anew, elsewhere a line every few seconds.
 */
export function progressPrinter(
  name: string,
  out: { isTTY?: boolean | undefined; write(text: string): unknown },
  now: () => number = Date.now,
): ProgressPrinter {
  const meter = createMeter();
  const every = out.isTTY === true ? UPDATE_EVERY_MS : LINE_EVERY_MS;
  let last = now();
  let isOpen = false;
  return {
    show(reached) {
      const at = now();
      const rate = meter(reached, at);
      if (at - last < every) return;
      last = at;
      const line = `${name}: ${progressText(reached, rate)}`;
      out.write(out.isTTY === true ? `\r\u001b[K${line}` : `${line}\n`);
      isOpen = out.isTTY === true;
    },
    wait({ seconds, attempt, attempts, reason }) {
      const text = `${name}: ${reason}; asking again in ${seconds} s (attempt ${attempt} of ${attempts} failed)`;
      out.write(`${isOpen ? '\n' : ''}${text}\n`);
      isOpen = false;
    },
    end() {
      if (isOpen) out.write('\n');
      isOpen = false;
    },
  };
}

/** @param rate rows per second */
export function progressText({ phase, rows, total }: ReconcilePosition, rate: number): string {
  const parts = [`${phase}, ${count(rows)}${total === undefined ? '' : ` of about ${count(total)}`} rows`];
  if (rate > 0) parts.push(`${count(Math.round(rate))} rows/s`);
  if (rate > 0 && total !== undefined) {
    parts.push(`${duration(Math.max(0, total - rows) / rate)} left`);
  }
  return parts.join(', ');
}

/** The rate of the phase, which begins at what was done before: a resumed run has not just done that. */
function createMeter(): (reached: ReconcilePosition, at: number) => number {
  let samples: { phase: string; rows: number; at: number }[] = [];
  return ({ phase, rows }, at) => {
    samples = samples.filter((sample) => sample.phase === phase);
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > WINDOW_MS) samples.shift();
    samples.push({ phase, rows, at });
    const [first] = samples;
    return first === undefined || at === first.at ? 0 : ((rows - first.rows) * 1000) / (at - first.at);
  };
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
