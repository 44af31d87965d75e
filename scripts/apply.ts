import { join, resolve } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { defineCommand } from './command.ts';
import { environmentWithDotEnv, PROJECT_ROOT } from './environment.ts';
import { applyProject } from './project/apply-project.ts';
import { createMetadataApi } from './project/metadata-api.ts';
import { readProject } from './project/project.ts';

export const apply = defineCommand({
  name: 'apply',
  description: `
Applies the migrations and the metadata of this project to a Hasura, as hasura migrate apply and
hasura metadata apply would, and records them in the same place: either tool can follow the other.
Each migration runs in one transaction; what was applied before is left alone.

Exit codes: 0 done, 1 a migration failed or the metadata do not fit the database, 2 wrong call or
setting, 3 Hasura does not answer or refuses the admin secret.`,
  options: {
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
    'dry-run': { type: 'boolean', help: 'Say what would be done, and do nothing.' },
    'allow-inconsistent': {
      type: 'boolean',
      help: 'Set metadata even where parts of them do not fit the database.',
    },
    settle: {
      type: 'string',
      placeholder: 'applied|pending',
      help: 'What to hold of a migration that was cut off in the middle.',
    },
  },
  async run(values) {
    const { settle } = values;
    if (settle !== undefined && settle !== 'applied' && settle !== 'pending') {
      throw new LatchkeyError('configuration-invalid', `--settle takes applied or pending, not ${settle}.`);
    }
    const environment = environmentWithDotEnv();
    const project = await readProject(
      values.project === undefined ? join(PROJECT_ROOT, 'hasura') : resolve(values.project),
    );
    const api = createMetadataApi(
      values.endpoint ?? environment.HASURA_GRAPHQL_ENDPOINT ?? project.endpoint,
      values['admin-secret'] ?? environment.HASURA_GRAPHQL_ADMIN_SECRET,
    );
    const { inconsistent } = await applyProject(api, project, {
      dryRun: values['dry-run'] ?? false,
      allowInconsistent: values['allow-inconsistent'] ?? false,
      ...(settle === undefined ? {} : { settle }),
      report: (line) => console.log(line),
    });
    if (inconsistent.length === 0 || values['allow-inconsistent'] === true) return 0;
    console.error(
      'latchkey apply: the metadata were not set, as parts of them do not fit the database: fix them, or set them as they are with --allow-inconsistent.',
    );
    return 1;
  },
});
