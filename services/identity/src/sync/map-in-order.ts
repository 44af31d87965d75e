/**
 * Works on several pages at once, and finishes them in their order: what `finished` is told of is
 * done, with everything before it. While pages are worked on, the next one is already being fetched.
 *
 * @param most how many may be worked on at once
 * @throws the first error of a page, when nothing is under way any more
 */
export async function mapInOrder<T, R>(
  pages: AsyncIterable<T>,
  most: number,
  work: (page: T) => Promise<R>,
  finished: (page: T, result: R) => void = () => {},
): Promise<void> {
  const working: Promise<R>[] = [];
  const turns: Promise<void>[] = [];
  let turn = Promise.resolve();
  try {
    for await (const page of pages) {
      const done = work(page);
      working.push(done);
      // A page is finished when its turn has come, even while the next one is long in coming.
      turn = turn.then(() => done).then((result) => finished(page, result));
      turns.push(turn);
      // Failures are heard below, in their turn.
      done.catch(() => {});
      turn.catch(() => {});
      if (turns.length >= most) {
        await turns.shift();
        working.shift();
      }
    }
    await turn;
  } finally {
    await Promise.allSettled(working);
  }
}
