import { ALWAYS, type Predicate } from './predicate.ts';
import type { Select, Source } from './types.ts';

/** All rows of `from` that satisfy `where`, in no order; without it, all there are. */
export function allRows(from: Source, where: Predicate = ALWAYS): Select {
  return {
    from,
    where,
    distinctOn: [],
    orderBy: [],
    limit: undefined,
    maximum: undefined,
    offset: undefined,
  };
}
