/** The validation errors that planners throw. */
import { EngineError, isStackOverflow } from '#base/errors.ts';
import { type Path, writePath } from '#ir/path.ts';

export function invalid(message: string, at: Path | undefined): EngineError {
  return new EngineError('validation-failed', message, { path: writePath(at) });
}

export function unparsable(message: string, at: Path | undefined): EngineError {
  return new EngineError('parse-failed', message, { path: writePath(at) });
}

export function notSupported(message: string, at: Path | undefined): EngineError {
  return new EngineError('not-supported', message, { path: writePath(at) });
}

/** How deep selections nest, and relationships in conditions and orders. */
export const MAX_LEVELS = 200;

export function tooDeep(cause?: unknown): EngineError {
  return new EngineError('validation-failed', 'the query is nested too deep', { cause });
}

/** A client's input may nest deeper than the stack goes. */
export function catchStackOverflow<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (isStackOverflow(error)) throw tooDeep(error);
    throw error;
  }
}
