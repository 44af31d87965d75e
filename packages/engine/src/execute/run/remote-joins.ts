/**
 * Relationships between sources: the placeholders in one source's answer are replaced by rows of other sources, with
 * one statement per join of the operation, however many placeholders it has.
 */

import { EngineError } from '#base/errors.ts';
import type { CompiledJoin } from '#execute/prepare/compile.ts';
import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { Param } from '#ir/predicate.ts';
import { splitAtPlaceholders } from '#values/placeholder.ts';
import { type Bindings, bindParam, createBinder } from './bind.ts';
import { runStatement } from './statement.ts';

/**
 * In characters. Sources that lead back and forth multiply their rows with each level, and a short query can
 * go through many.
 */
const MAX_LENGTH = 250_000_000;

/** JSON text for each of the keys, in their order. */
type Ask = (join: number, keys: readonly string[]) => Promise<readonly string[]>;

/** Replaces the placeholders in an answer's JSON text. `bindings` include what permissions ask of other sources. */
export type PlaceholderFiller = (json: string, bindings: Bindings) => Promise<string>;

/**
 * @throws {EngineError} for a variable's value that does not fit, whether or not its join comes to run
 */
export function createPlaceholderFiller(
  joins: readonly CompiledJoin[],
  sources: ExecutionSources,
  bindings: Bindings,
): PlaceholderFiller {
  if (joins.length === 0) return async (json) => json;
  const bind = createBinder(bindings);
  const given = joins.map(({ statement }) => {
    const params = statement.params.filter(isGiven);
    const values = bind(params);
    return new Map(params.map((param, index) => [param, values[index] ?? null]));
  });
  const askWith =
    (complete: Bindings): Ask =>
    async (number, keys) => {
      const join = joins[number];
      if (join === undefined) throw new TypeError(`there is no join ${number}`);
      const list = `[${keys.join(',')}]`;
      const { text, params } = join.statement;
      // A session variable that the join needs is missed only where it runs.
      const values = params.map((param) => {
        if (param.from === 'keys') return list;
        const value = given[number]?.get(param);
        return value === undefined ? bindParam(param, complete) : value;
      });
      const rows = await runStatement(sourceOf(sources, join.source).pool, text, values);
      const answers = keys.map(() => 'null');
      for (const [row, json] of rows) answers[Number(row) - 1] = json ?? 'null';
      return answers;
    };
  return async (json, complete) => (await fill([json], askWith(complete))).join('');
}

/** Whatever the client gave. */
const isGiven = ({ from }: Param) => from === 'value' || from === 'variable';

/** What is found may have placeholders of its own; those of one join are asked for together as well. */
async function fill(texts: readonly string[], ask: Ask): Promise<readonly string[]> {
  const split = texts.map(splitAtPlaceholders);
  const wanted = new Map<number, Map<string, number>>();
  for (const piece of split.flat()) {
    if (typeof piece === 'string') continue;
    const keys = wanted.get(piece.join) ?? new Map<string, number>();
    wanted.set(piece.join, keys);
    if (!keys.has(piece.keys)) keys.set(piece.keys, keys.size);
  }
  if (wanted.size === 0) return texts;
  const found = new Map<number, readonly string[]>();
  await Promise.all(
    [...wanted].map(async ([join, keys]) => {
      found.set(join, await fill(await ask(join, [...keys.keys()]), ask));
    }),
  );
  const filled = split.map((pieces) =>
    pieces.map((piece) => {
      if (typeof piece === 'string') return piece;
      const number = wanted.get(piece.join)?.get(piece.keys);
      return number === undefined ? 'null' : (found.get(piece.join)?.[number] ?? 'null');
    }),
  );
  const length = filled.flat().reduce((sum, piece) => sum + piece.length, 0);
  if (length > MAX_LENGTH)
    throw new EngineError(
      'validation-failed',
      `the rows of other sources fill more than ${MAX_LENGTH} characters; ask for fewer of them, or less deep`,
    );
  return filled.map((pieces) => pieces.join(''));
}
