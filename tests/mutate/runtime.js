// Imported by every instrumented source. The state is the process's, whoever imports this file by which name.
globalThis.__latchkeyMutants ??= { active: 0, runs: 0, asked: new Set() };
const state = globalThis.__latchkeyMutants;
/** A mutant that is asked for so often has made a loop without end. */
const MOST_RUNS = 2_000_000;

/** Whether this mutant is the one that is alive; notes that it was asked for. */
export function mutant(id) {
  state.asked.add(id);
  if (state.active !== id) return false;
  state.runs += 1;
  if (state.runs > MOST_RUNS) throw new Error('A mutant runs without end.');
  return true;
}

/** From now on this mutant lives, or none (0). */
export function activate(id) {
  state.active = id;
  state.runs = 0;
}

/** The numbers asked for since the last call. */
export function takeAsked() {
  const { asked } = state;
  state.asked = new Set();
  return [...asked];
}
