import { join, resolve } from 'node:path';
import type { Options, Values } from '../command.ts';
import { environmentWithDotEnv, PROJECT_ROOT } from '../environment.ts';
import { createMetadataApi, type MetadataApi } from './metadata-api.ts';
import { type Project, readProject } from './project.ts';

/** Which project, and where it goes: options that several commands have. */
export const HASURA_OPTIONS = {
  endpoint: {
    type: 'string',
    placeholder: 'url',
    help: 'Where Hasura is (else HASURA_GRAPHQL_ENDPOINT, else the endpoint of config.yaml).',
  },
  'admin-secret': {
    type: 'string',
    placeholder: 'secret',
    help: 'Its admin secret (else HASURA_GRAPHQL_ADMIN_SECRET, from the environment or .env, where\nother users of this machine do not see it, as they see command lines).',
  },
  project: { type: 'string', placeholder: 'folder', help: 'Where config.yaml is (default: hasura).' },
} as const satisfies Options;

/**
 * The project and the Hasura that the options, the environment, `.env` and config.yaml name, in this order.
 *
 * @throws LatchkeyError `configuration-invalid`
 */
export async function connect(
  values: Values<typeof HASURA_OPTIONS>,
): Promise<{ api: MetadataApi; project: Project }> {
  const folder = values.project === undefined ? join(PROJECT_ROOT, 'hasura') : resolve(values.project);
  const project = await readProject(folder, environmentWithDotEnv());
  const api = createMetadataApi(
    values.endpoint ?? project.endpoint,
    values['admin-secret'] ?? project.adminSecret,
  );
  return { api, project };
}
