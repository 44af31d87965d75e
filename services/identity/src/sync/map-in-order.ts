import { pMapIterable } from 'p-map';

/**
 * Maps several pages at once, and finishes them in their order: what `finished` is called with is done, with
 * everything before it. The next page is fetched meanwhile, and none beyond that.
 *
 * @param concurrency how many may be mapped at once
 * @param finished called with each page and its result
 * @throws the first error of a page, when nothing is running any more
 */
export async function mapInOrder<T, R>(
  pages: AsyncIterable<T>,
  concurrency: number,
  map: (page: T) => Promise<R>,
  finished: (page: T, result: R) => void = () => {},
): Promise<void> {
  const running = new Set<Promise<R>>();
  const mapPage = async (page: T) => {
    const mapping = map(page);
    running.add(mapping);
    return { page, result: await mapping.finally(() => running.delete(mapping)) };
  };
  try {
    // One more than are mapped: the page that is fetched.
    const options = { concurrency, backpressure: concurrency + 1 };
    for await (const { page, result } of pMapIterable(pages, mapPage, options)) finished(page, result);
  } finally {
    await Promise.allSettled(running);
  }
}
