/** Where in a request something is wrong, as Hasura tells it: `$.selectionSet.users.args.where`. */
import { jsonPath } from '#base/errors.ts';

/** Grows inwards; written only when an error needs it. */
export interface Path {
  readonly parent: Path | undefined;
  readonly key: string | number;
  /** How many keys it has. */
  readonly length: number;
}

export function at(parent: Path | undefined, ...keys: readonly (string | number)[]): Path | undefined {
  return keys.reduce<Path | undefined>(
    (path, key) => ({ parent: path, key, length: (path?.length ?? 0) + 1 }),
    parent,
  );
}

export function writePath(path: Path | undefined): string {
  const keys: (string | number)[] = [];
  for (let step = path; step !== undefined; step = step.parent) keys.unshift(step.key);
  return jsonPath(keys);
}
