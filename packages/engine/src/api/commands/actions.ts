/** Actions and their custom types. */
import { z } from 'zod';
import { deleteCalls } from '#actions/action-log.ts';
import { type Commands, command, SUCCESS } from '#api/command.ts';
import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { graphqlName, json, nonEmptyText, object } from '#metadata/primitives.ts';
import type { Action, Metadata } from '#metadata/types.ts';
import { actionDefinition, customTypes } from '#metadata/types.ts';

const comment = z.string().optional();

export const actionCommands: Commands = {
  set_custom_types: command(customTypes, async (types, { draft }) => {
    await draft.change({ ...draft.state.metadata, custom_types: types }, objectName.customTypes());
    return SUCCESS;
  }),
  create_action: command(
    object({ name: graphqlName, definition: actionDefinition, comment }),
    async (args, { draft }) => {
      const { metadata } = draft.state;
      if (metadata.actions.some(({ name }) => name === args.name)) {
        throw new EngineError('already-exists', `action with name "${args.name}" already exists`);
      }
      await draft.change(
        { ...metadata, actions: [...metadata.actions, { ...args, permissions: [] }] },
        objectName.action(args.name),
      );
      return SUCCESS;
    },
  ),
  update_action: command(
    object({ name: graphqlName, definition: actionDefinition, comment }),
    async ({ name, definition, comment: text }, { draft }) => {
      find(draft.state.metadata, name);
      await draft.change(
        edit(draft.state.metadata, name, (action) => ({ ...action, definition, comment: text })),
        objectName.action(name),
      );
      return SUCCESS;
    },
  ),
  drop_action: command(
    object({ name: graphqlName, clear_data: z.boolean().default(true) }),
    async ({ name, clear_data: clear }, { draft, metadataPool }) => {
      const { metadata } = draft.state;
      find(metadata, name);
      await draft.change({ ...metadata, actions: metadata.actions.filter((action) => action.name !== name) });
      if (clear) await deleteCalls(metadataPool, name);
      return SUCCESS;
    },
  ),
  create_action_permission: command(
    // A permission has no settings; Hasura accepts a `definition` and ignores it.
    object({ action: graphqlName, role: nonEmptyText, definition: json.optional(), comment }),
    async ({ action: name, role, comment: text }, { draft }) => {
      const action = find(draft.state.metadata, name);
      if (action.permissions.some((permission) => permission.role === role)) {
        throw new EngineError(
          'already-exists',
          `permission for role "${role}" is already defined on "${name}"`,
        );
      }
      await draft.change(
        edit(draft.state.metadata, name, (one) => ({
          ...one,
          permissions: [...one.permissions, { role, comment: text }],
        })),
        objectName.actionPermission(name, role),
      );
      return SUCCESS;
    },
  ),
  drop_action_permission: command(
    object({ action: graphqlName, role: nonEmptyText, comment }),
    async ({ action: name, role }, { draft }) => {
      const action = find(draft.state.metadata, name);
      if (!action.permissions.some((permission) => permission.role === role)) {
        throw new EngineError('not-exists', `permission for role "${role}" is not defined on "${name}"`);
      }
      await draft.change(
        edit(draft.state.metadata, name, (one) => ({
          ...one,
          permissions: one.permissions.filter((permission) => permission.role !== role),
        })),
      );
      return SUCCESS;
    },
  ),
};

function find(metadata: Metadata, name: string): Action {
  const action = metadata.actions.find((candidate) => candidate.name === name);
  if (action === undefined) throw new EngineError('not-exists', `action with name "${name}" does not exist`);
  return action;
}

function edit(metadata: Metadata, name: string, change: (action: Action) => Action): Metadata {
  return { ...metadata, actions: metadata.actions.map((one) => (one.name === name ? change(one) : one)) };
}
