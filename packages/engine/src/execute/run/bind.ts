/** Parameters' values for one request. */
import { EngineError } from '#base/errors.ts';
import type { Session } from '#base/session.ts';
import type { Param, RemoteCondition } from '#ir/predicate.ts';

export interface Bindings {
  readonly session: Session;
  readonly variables: Readonly<Record<string, unknown>>;
  /** PostgreSQL's text of the arrays that other sources gave. */
  readonly remote?: ReadonlyMap<RemoteCondition, string>;
}

/** In characters, of variables that stand in several places: one of some megabytes may stand in thousands. */
const MAX_REPEATED = 2 ** 22;

/**
 * Binds the parameters of one request's statements, one after the other.
 * @throws {EngineError} see {@link bindParam}; `validation-failed` where the values come to too much altogether
 */
export function createBinder(bindings: Bindings): (params: readonly Param[]) => (string | null)[] {
  const used = new Set<string>();
  let left = MAX_REPEATED;
  return (params) =>
    params.map((param) => {
      const value = bindParam(param, bindings);
      if (param.from !== 'variable') return value;
      if (used.has(param.name)) left -= value?.length ?? 0;
      used.add(param.name);
      if (left < 0)
        throw new EngineError(
          'validation-failed',
          `variable '${param.name}' is too long to stand in so many places; send less at a time`,
        );
      return value;
    });
}

/**
 * The value as PostgreSQL's text form.
 * @throws {EngineError} `not-found` for a session variable that is missing; a variable's value that does
 *   not fit its type
 */
export function bindParam(param: Param, bindings: Bindings): string | null {
  switch (param.from) {
    case 'value':
      return param.value;
    case 'variable':
      return param.encode(bindings.variables[param.name]);
    case 'session': {
      const value = bindings.session.variables[param.name];
      if (value === undefined)
        throw new EngineError('not-found', `missing session variable: "${param.name}"`, { status: 400 });
      return param.encode === undefined ? value : param.encode(value);
    }
    case 'session-all':
      return JSON.stringify(bindings.session.variables);
    case 'remote': {
      const keys = bindings.remote?.get(param.condition);
      // The old query APIs do not ask other sources, nor do Hasura's.
      if (keys === undefined)
        throw new EngineError('not-exists', 'Remote relationships permission checks not implemented yet');
      return keys;
    }
    case 'keys':
      throw new TypeError('the keys of a join are bound where it runs');
    case 'texts':
      throw new TypeError('arrays are bound where a mutation runs');
    case 'cursor':
      return bindParam(param.initial, bindings);
  }
}
