/** Stands in until the core is there: metadata and SQL work, GraphQL answers that it does not. */
import type { BuildCore } from './core.ts';
import { EngineError } from './errors.ts';

export const buildCore: BuildCore = async () => {
  const refuse = () => {
    throw new EngineError('not-supported', 'GraphQL is not there yet');
  };
  return { inconsistencies: [], prepare: refuse, explain: refuse, rows: { run: refuse } };
};
