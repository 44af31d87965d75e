/** What holds for all sources: inherited roles, limits, introspection, network. */
import { z } from 'zod';
import { type Commands, command, SUCCESS } from '#api/command.ts';
import { findSource, withSource } from '#api/editing/find.ts';
import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { parseWith } from '#metadata/parse.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import { apiLimits, inheritedRole, type Metadata, queryTags } from '#metadata/types.ts';

const host = { host: z.string(), suffix: z.string().optional() };
const tlsObject = object({ ...host, permissions: z.array(z.string()).optional() });
/** The old form is the host alone. */
const tlsEntry = z.union([
  z
    .string()
    .min(1, 'missing "host" field in input')
    .transform((name): z.output<typeof tlsObject> => ({ host: name })),
  tlsObject,
]);

function tlsHosts(metadata: Metadata) {
  return metadata.network?.tls_allowlist ?? [];
}

const isHost = (entry: Readonly<Record<string, unknown>>, name: string, suffix: string | undefined) =>
  entry.host === name && (entry.suffix ?? undefined) === suffix;

const describeHost = (name: string, suffix: string | undefined) =>
  `the host "${name}"${suffix === undefined ? '' : ` with suffix "${suffix}"`}`;

export const settingCommands: Commands = {
  set_query_tags: command(
    z
      .looseObject({ source_name: nonEmptyText })
      .transform(({ source_name: name, ...tags }) => ({ name, tags })),
    async ({ name, tags: given }, { draft }) => {
      const tags = parseWith(queryTags, given);
      findSource(draft.state.metadata, name);
      const next = withSource(draft.state.metadata, name, (one) => ({ ...one, query_tags: tags }));
      await draft.change(next, objectName.source(name));
      return SUCCESS;
    },
  ),
  set_metrics_config: command(
    object({ analyze_query_variables: z.boolean(), analyze_response_body: z.boolean() }),
    async (config, { draft }) => {
      await draft.change({ ...draft.state.metadata, metrics_config: config });
      return SUCCESS;
    },
  ),
  remove_metrics_config: command(z.unknown(), async (_, { draft }) => {
    await draft.change({ ...draft.state.metadata, metrics_config: undefined });
    return SUCCESS;
  }),
  add_inherited_role: command(inheritedRole, async (role, { draft }) => {
    const { metadata } = draft.state;
    if (role.role_set.includes(role.role_name)) {
      throw new EngineError('invalid-params', 'an inherited role name cannot be in the role combination');
    }
    const others = metadata.inherited_roles.filter(({ role_name: name }) => name !== role.role_name);
    await draft.change(
      { ...metadata, inherited_roles: [...others, role] },
      objectName.inheritedRole(role.role_name),
    );
    return SUCCESS;
  }),
  drop_inherited_role: command(
    object({ role_name: nonEmptyText }),
    async ({ role_name: name }, { draft }) => {
      const { metadata } = draft.state;
      if (!metadata.inherited_roles.some((role) => role.role_name === name)) {
        throw new EngineError('not-exists', `"${name}" inherited role doesn't exist`);
      }
      await draft.change(
        { ...metadata, inherited_roles: metadata.inherited_roles.filter((role) => role.role_name !== name) },
        objectName.inheritedRole(name),
      );
      return SUCCESS;
    },
  ),
  set_api_limits: command(apiLimits, async (limits, { draft }) => {
    await draft.change({ ...draft.state.metadata, api_limits: limits });
    return SUCCESS;
  }),
  remove_api_limits: command(z.unknown(), async (_, { draft }) => {
    await draft.change({ ...draft.state.metadata, api_limits: { disabled: false } });
    return SUCCESS;
  }),
  set_graphql_schema_introspection_options: command(
    object({ disabled_for_roles: z.array(nonEmptyText) }),
    async (options, { draft }) => {
      await draft.change({ ...draft.state.metadata, graphql_schema_introspection: options });
      return SUCCESS;
    },
  ),
  add_host_to_tls_allowlist: command(tlsEntry, async (entry, { draft }) => {
    const { metadata } = draft.state;
    if (entry.host === '') throw new EngineError('bad-request', 'key "host" cannot be empty');
    if (tlsHosts(metadata).some((one) => isHost(one, entry.host, entry.suffix))) {
      const what = describeHost(entry.host, entry.suffix);
      throw new EngineError('already-exists', `${what} already exists in the allowlist`);
    }
    const tidy = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
    const added = z.record(z.string(), z.json()).parse(tidy);
    await draft.change({ ...metadata, network: { tls_allowlist: [...tlsHosts(metadata), added] } });
    return SUCCESS;
  }),
  drop_host_from_tls_allowlist: command(object(host), async ({ host: name, suffix }, { draft }) => {
    const { metadata } = draft.state;
    if (name === '') throw new EngineError('bad-request', 'hostname cannot be empty');
    const kept = tlsHosts(metadata).filter((one) => !isHost(one, name, suffix));
    if (kept.length === tlsHosts(metadata).length)
      throw new EngineError('not-exists', `${describeHost(name, suffix)} isn't present in the allowlist`);
    await draft.change({ ...metadata, network: { tls_allowlist: kept } });
    return SUCCESS;
  }),
};
