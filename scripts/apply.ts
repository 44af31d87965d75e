import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { defineCommand } from './command.ts';
import { applyProject } from './project/apply-project.ts';
import type { Metadata } from './project/metadata.ts';
import { connect, HASURA_OPTIONS } from './project/options.ts';

export const apply = defineCommand({
  name: 'apply',
  description: `
Applies the migrations and the metadata of this project to a Hasura, as hasura migrate apply and
hasura metadata apply would, and records them in the same place: either tool can follow the other.
Each migration runs in one transaction; what was applied before is left alone. Metadata that somebody else has
put there are neither dropped nor changed without --replace.

Exit codes: 0 done, 1 a migration failed, the metadata do not fit the database or would drop others', 2 wrong call or
setting, 3 Hasura does not answer or refuses the admin secret.`,
  options: {
    ...HASURA_OPTIONS,
    'dry-run': { type: 'boolean', help: 'Say what would be done, with the difference, and do nothing.' },
    replace: {
      type: 'boolean',
      help: 'Take this project’s metadata alone: what others have put there is dropped,\nafter a copy of it was kept in a file.',
    },
    merge: {
      type: 'boolean',
      help: 'Add this project’s metadata to what is there, and change nothing of it.',
    },
    'allow-inconsistent': {
      type: 'boolean',
      help: 'Set metadata even where parts of them do not fit the database.',
    },
    settle: {
      type: 'string',
      placeholder: 'applied|pending',
      choices: ['applied', 'pending'],
      help: 'What to hold of a migration that was cut off in the middle.',
    },
  },
  async run(values) {
    const { settle } = values;
    if (values.replace === true && values.merge === true) {
      throw new LatchkeyError('configuration-invalid', 'Give one of --replace and --merge, not both.');
    }
    const { api, project } = await connect(values);
    console.log(`Hasura ${await api.version()} at ${api.endpoint}`);
    const { inconsistent } = await applyProject(api, project, {
      dryRun: values['dry-run'] ?? false,
      allowInconsistent: values['allow-inconsistent'] ?? false,
      onForeign: values.replace === true ? 'replace' : values.merge === true ? 'merge' : 'refuse',
      ...(settle === undefined ? {} : { settle }),
      backUp,
      report: (line) => console.log(line),
    });
    if (inconsistent.length === 0 || values['allow-inconsistent'] === true) return 0;
    console.error(
      'latchkey apply: the metadata were not set, as parts of them do not fit the database: fix them, or set them as they are with --allow-inconsistent.',
    );
    return 1;
  },
});

/** Metadata can hold secrets in headers, so nobody else may read the file. */
async function backUp(metadata: Metadata): Promise<string> {
  const file = resolve(`hasura-metadata-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  await writeFile(file, `${JSON.stringify(metadata, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}
