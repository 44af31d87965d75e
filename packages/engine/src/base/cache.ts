/** A map that forgets what was not used for longest. */
export interface Cache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** How much there may be altogether: a few large values must not fill the memory that many small ones may. */
export interface Weight<Value> {
  of(value: Value, key: string): number;
  readonly most: number;
}

/** @param limit how many values are kept */
export function createCache<Value>(limit: number, weight?: Weight<Value>): Cache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  let total = 0;
  const forget = (key: string) => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value) {
      forget(key);
      const entry = { value, weight: weight?.of(value, key) ?? 0 };
      entries.set(key, entry);
      total += entry.weight;
      while (entries.size > limit || (weight !== undefined && total > weight.most)) {
        const oldest = entries.keys().next();
        if (oldest.done) return;
        forget(oldest.value);
      }
    },
  };
}
