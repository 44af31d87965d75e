import { randomInt } from 'node:crypto';

/** Chances that come again with the same seed. */
export interface Random {
  readonly seed: number;
  /** A whole number from 0 up to, but without, `limit`. */
  below(limit: number): number;
  /** True so often, from 0 to 1. */
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
}

/**
 * @param seed LATCHKEY_TEST_SEED repeats a run; without it each run has its own, which is printed
 */
export function createRandom(
  what: string,
  seed = Number(process.env.LATCHKEY_TEST_SEED ?? randomInt(2 ** 31)),
): Random {
  console.log(`${what}: LATCHKEY_TEST_SEED=${seed}`);
  // xorshift32: its state must not be zero.
  let state = seed | 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    seed,
    below,
    chance: (share) => next() < share,
    pick(list) {
      const found = list[below(list.length)];
      if (found === undefined) throw new Error('There is nothing to pick from.');
      return found;
    },
    shuffled(list) {
      const rest = [...list];
      return Array.from(list, () => rest.splice(below(rest.length), 1)).flat();
    },
  };
}
