/**
 * Works on several pages at once, and finishes them in their order: what `finished` is told of is
 * done, with everything before it. While pages are worked on, the next one is already being fetched.
 *
 * @param most how many may be worked on at once
 * @throws the first error of a page, when nothing is under way any more
 */
export async function convey<T>(
  pages: AsyncIterable<T>,
  most: number,
  work: (page: T) => Promise<void>,
  finished: (page: T) => void = () => {},
): Promise<void> {
  const underWay: { readonly page: T; readonly done: Promise<void> }[] = [];
  const finishFirst = async (): Promise<void> => {
    const [first] = underWay;
    if (first === undefined) return;
    await first.done;
    underWay.shift();
    finished(first.page);
  };
  try {
    for await (const page of pages) {
      const done = work(page);
      // Its turn comes later; until then nobody else hears of its failure.
      done.catch(() => {});
      underWay.push({ page, done });
      if (underWay.length >= most) await finishFirst();
    }
    while (underWay.length > 0) await finishFirst();
  } finally {
    await Promise.allSettled(underWay.map(({ done }) => done));
  }
}
