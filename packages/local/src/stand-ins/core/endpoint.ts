/** Where a stand-in delivers its webhooks, which may be known later than the stand-in is there. */
export interface Endpoint {
  url(): string | undefined;
  set(url: string): void;
  /** Settles once it is known. */
  readonly known: Promise<void>;
}

export function createEndpoint(url?: string): Endpoint {
  const { promise: known, resolve } = Promise.withResolvers<void>();
  let current = url;
  if (url !== undefined) resolve();
  return {
    url: () => current,
    set(next) {
      current = next;
      resolve();
    },
    known,
  };
}
