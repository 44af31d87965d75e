/** One small change to a source that some test should notice. */
export type Mutant = {
  /** From 1; unique in a run. */
  id: number;
  /** From the project's root. */
  file: string;
  line: number;
  /** What was done, in a word or two. */
  kind: string;
  before: string;
  after: string;
};

/** A mutant before it has a number: a piece of the source, and what stands in its place. */
export type Change = { start: number; end: number; kind: string; after: string };

/** @returns the mutant that this change of `source` makes, with excerpts short enough for a list */
export function toMutant(id: number, file: string, source: string, change: Change): Mutant {
  return {
    id,
    file,
    line: source.slice(0, change.start).split('\n').length,
    kind: change.kind,
    before: excerpt(source.slice(change.start, change.end)),
    after: excerpt(change.after),
  };
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 100 ? `${line.slice(0, 97)}…` : line;
}

/**
 * `count` of them, the same ones for the same seed; all if there are no more than that.
 */
export function sample<Item>(items: readonly Item[], count: number, seed: number): Item[] {
  const random = mulberry32(seed);
  const drawn = items.map((item, index) => ({ item, index, at: random() }));
  drawn.sort((a, b) => a.at - b.at);
  return drawn
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
