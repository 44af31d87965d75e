/** A map that drops what was not used for longest. */
export interface Cache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** A bound on the size of all values together: a few large ones must not take the memory of many small ones. */
export interface SizeLimit<Value> {
  sizeOf(value: Value, key: string): number;
  readonly max: number;
}

/** @param maxEntries how many values are kept */
export function createCache<Value>(maxEntries: number, sizeLimit?: SizeLimit<Value>): Cache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly size: number }>();
  let total = 0;
  const remove = (key: string) => {
    total -= entries.get(key)?.size ?? 0;
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
      remove(key);
      const entry = { value, size: sizeLimit?.sizeOf(value, key) ?? 0 };
      entries.set(key, entry);
      total += entry.size;
      while (entries.size > maxEntries || (sizeLimit !== undefined && total > sizeLimit.max)) {
        const oldest = entries.keys().next();
        if (oldest.done) return;
        remove(oldest.value);
      }
    },
  };
}
