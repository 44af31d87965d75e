export type Checklist = {
  /** A heading, with what happens under it. */
  step(title: string): void;
  /**
   * Runs a check and prints whether it held. One that throws did not hold, and neither do those
   * that follow from it; the run goes on, so that one sees how far a fault reaches.
   */
  check(statement: string, body: () => unknown): Promise<void>;
  counts(): { held: number; broken: number };
};

export function createChecklist(print: (line: string) => void): Checklist {
  let steps = 0;
  let held = 0;
  let broken = 0;
  return {
    step(title) {
      steps += 1;
      print(`\n${steps}. ${title}`);
    },
    async check(statement, body) {
      try {
        const detail = await body();
        held += 1;
        print(`   ✓ ${statement}${typeof detail === 'string' ? `: ${detail}` : ''}`);
      } catch (error) {
        broken += 1;
        const reason = error instanceof Error ? error.message : String(error);
        print(`   ✗ ${statement}\n     ${reason.replaceAll('\n', '\n     ')}`);
      }
    },
    counts: () => ({ held, broken }),
  };
}
