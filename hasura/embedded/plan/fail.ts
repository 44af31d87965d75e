/** The errors of validation, as planners throw them. */
import { EngineError } from '../errors.ts';
import { type Path, writePath } from './path.ts';

export function invalid(message: string, at: Path | undefined): EngineError {
  return new EngineError('validation-failed', message, { path: writePath(at) });
}

export function unparsable(message: string, at: Path | undefined): EngineError {
  return new EngineError('parse-failed', message, { path: writePath(at) });
}

export function notSupported(message: string, at: Path | undefined): EngineError {
  return new EngineError('not-supported', message, { path: writePath(at) });
}
