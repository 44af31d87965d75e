import { readFile, rename, writeFile } from 'node:fs/promises';
import type { z } from 'zod';

/** Where a local provider keeps its keys, secrets and users between runs. */
export type StateFile<State> = {
  /** What an earlier run kept; undefined where there was none. */
  read(): Promise<State | undefined>;
  /** Replaces what is kept, whole or not at all. */
  write(state: State): Promise<void>;
};

/**
 * @param path nothing is read or kept without it
 * @param provider its name in messages, such as `Casdoor`
 * @throws Error from `read`, where the file is damaged
 */
export function createStateFile<State>(
  path: string | undefined,
  schema: z.ZodType<State>,
  provider: string,
): StateFile<State> {
  return {
    async read() {
      if (path === undefined) return undefined;
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      try {
        return schema.parse(JSON.parse(text));
      } catch (cause) {
        throw new Error(
          `${path} is damaged: remove it, and the local ${provider} begins anew, without its users.`,
          { cause },
        );
      }
    },
    async write(state) {
      if (path === undefined) return;
      await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
