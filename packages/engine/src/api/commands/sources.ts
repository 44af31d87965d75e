/** Adding, dropping and renaming sources. */
import { z } from 'zod';
import { type Commands, command, SUCCESS } from '#api/command.ts';
import { assertNoDependents, removeDependents } from '#api/editing/dependencies.ts';
import { findSource, withSource } from '#api/editing/find.ts';
import { objectName } from '#api/editing/names.ts';
import { dependentsOfSource } from '#api/editing/remote-relationships.ts';
import { EngineError } from '#base/errors.ts';
import { graphqlName, nonEmptyText, object, unsupported } from '#metadata/primitives.ts';
import { type Metadata, sourceConfiguration, sourceCustomization } from '#metadata/types.ts';

const isOfAnotherKind = (metadata: Metadata, name: string) =>
  metadata.unsupported_sources.some((source) => source.name === name);

/** Under the prefix `pg_`. */
export const sourceCommands: Commands = {
  add_source: command(
    object({
      name: nonEmptyText,
      configuration: sourceConfiguration,
      customization: sourceCustomization.default({}),
      replace_configuration: z.boolean().default(false),
      health_check: unsupported('source health checks'),
    }),
    async ({ name, configuration, customization, replace_configuration: replace }, { draft }) => {
      const { metadata } = draft.state;
      const exists = metadata.sources.some((source) => source.name === name);
      if (isOfAnotherKind(metadata, name) || (exists && !replace)) {
        throw new EngineError('already-exists', `source with name "${name}" already exists`);
      }
      draft.invalidate([name]);
      const next = exists
        ? withSource(metadata, name, (source) => ({ ...source, configuration, customization }))
        : {
            ...metadata,
            sources: [
              ...metadata.sources,
              {
                name,
                kind: 'postgres' as const,
                tables: [],
                functions: [],
                native_queries: [],
                stored_procedures: [],
                logical_models: [],
                configuration,
                customization,
              },
            ],
          };
      await draft.change(next, objectName.source(name));
      return SUCCESS;
    },
  ),
  update_source: command(
    object({
      name: nonEmptyText,
      configuration: sourceConfiguration.optional(),
      customization: sourceCustomization.optional(),
      health_check: unsupported('source health checks'),
      query_tags: z.unknown().optional(),
    }),
    async ({ name, configuration, customization }, { draft }) => {
      findSource(draft.state.metadata, name);
      if (configuration !== undefined) draft.invalidate([name]);
      const next = withSource(draft.state.metadata, name, (source) => ({
        ...source,
        configuration: configuration ?? source.configuration,
        customization: customization ?? source.customization,
      }));
      await draft.change(next, objectName.source(name));
      return SUCCESS;
    },
  ),
  drop_source: command(
    object({ name: nonEmptyText, cascade: z.boolean().default(false) }),
    async ({ name, cascade }, { draft }) => {
      const { metadata } = draft.state;
      findSource(metadata, name);
      const isReached = draft.state.sources.some((source) => source.metadata.name === name);
      if (cascade && !isReached) {
        throw new EngineError('unexpected', `source with name "${name}" is inconsistent`, { status: 400 });
      }
      // What leads to a source that is not reached is inconsistent already.
      const dependents = isReached ? dependentsOfSource(metadata, name) : [];
      if (!cascade) assertNoDependents(dependents);
      const pruned = removeDependents(metadata, dependents);
      await draft.change(
        { ...pruned, sources: pruned.sources.filter((source) => source.name !== name) },
        objectName.source(name),
      );
      draft.invalidate([name]);
      return SUCCESS;
    },
  ),
};

/** Without a prefix. */
export const sourceNamingCommands: Commands = {
  rename_source: command(
    object({ name: nonEmptyText, new_name: nonEmptyText.pipe(graphqlName.or(nonEmptyText)) }),
    async ({ name, new_name: newName }, { draft }) => {
      const { metadata } = draft.state;
      if (!metadata.sources.some((source) => source.name === name)) {
        throw new EngineError('not-exists', `Could not find source with name "${name}"`);
      }
      if (isOfAnotherKind(metadata, newName) || metadata.sources.some((source) => source.name === newName)) {
        throw new EngineError('already-exists', `Source with name "${newName}" already exists`);
      }
      await draft.change(
        withSource(metadata, name, (source) => ({ ...source, name: newName })),
        objectName.source(newName),
      );
      return SUCCESS;
    },
  ),
};
