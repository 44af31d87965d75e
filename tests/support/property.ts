import fc from 'fast-check';

/**
 * How long and with which seed properties are tried. Each run takes another seed and prints it;
 * `LATCHKEY_SEED=<seed>` repeats one, and `LATCHKEY_PROPERTY_SECONDS=<n>` goes on for longer.
 */
function propertyParameters(
  name: string,
): { seed: number } & Pick<
  fc.Parameters<unknown>,
  'numRuns' | 'interruptAfterTimeLimit' | 'markInterruptAsFailure' | 'endOnFailure' | 'verbose'
> {
  const given = Number(process.env.LATCHKEY_SEED ?? Number.NaN);
  const seed = Number.isInteger(given) ? given : Math.floor(Math.random() * 2 ** 31);
  const seconds = Number(process.env.LATCHKEY_PROPERTY_SECONDS ?? 15);
  console.log(`${name}: LATCHKEY_SEED=${seed}`);
  return {
    seed,
    numRuns: seconds > 15 ? 1_000_000 : 80,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  };
}

/** Runs a property, and fails if a slow machine left no time for even a few histories. */
export async function holds<T extends unknown[]>(
  name: string,
  property: fc.IAsyncPropertyWithHooks<T>,
  least = 5,
): Promise<void> {
  const parameters = propertyParameters(name);
  const details = await fc.check(property, parameters);
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  console.log(`${name}: held in ${details.numRuns} histories.`);
  if (details.numRuns < least) throw new Error(`Only ${details.numRuns} histories were tried.`);
}
