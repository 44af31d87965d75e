import { LatchkeyError } from '@latchkey/core/errors';
import { readConfig } from '@latchkey/identity/config/read-config';
import { createHasuraClient } from '@latchkey/identity/hasura/client';
import { loadProviders } from '@latchkey/identity/providers/registry';
import { type Replayed, replay as replayDead } from '@latchkey/identity/sync/replay';
import { createWriter } from '@latchkey/identity/sync/writer';
import { defineCommand } from './command.ts';
import { environmentWithDotEnv } from './environment.ts';

export const replay = defineCommand({
  name: 'replay',
  description: `
Delivers dead deliveries of the ledger once more, on the path that they came by: those that an older
version could not read, or whose user stood in the way. What is applied now is no longer dead; each
attempt is counted. Doing it twice does no harm.

The settings are the identity service's: HASURA_GRAPHQL_ENDPOINT, HASURA_GRAPHQL_ADMIN_SECRET and the
provider's, from the environment or .env.

Exit codes: 0 none of them is dead any more, 1 some still are, or there is no such delivery, 2 wrong call
or setting, 3 Hasura or the provider does not answer.`,
  options: {
    id: { type: 'string', placeholder: 'id', help: 'Only the delivery of this id.' },
    all: { type: 'boolean', help: 'All dead deliveries.' },
    'dry-run': { type: 'boolean', help: 'Only list them.' },
    json: { type: 'boolean', help: 'Print a line of JSON for each.' },
  },
  async run({ id, all = false, 'dry-run': dryRun = false, json = false }) {
    if ((id === undefined) === !all) {
      throw new LatchkeyError('configuration-invalid', 'It takes either --id <id> or --all.');
    }
    const config = readConfig(environmentWithDotEnv());
    const engine = createHasuraClient(config.engine);
    const providers = await loadProviders(config.providers, engine);
    const writer = createWriter(engine, config.writer);
    const counts = { seen: 0, dead: 0 };
    try {
      for await (const one of replayDead(
        { providers, engine, writer },
        { ...(id !== undefined && { id }), dryRun },
      )) {
        counts.seen += 1;
        if (one.status === 'dead') counts.dead += 1;
        console.log(json ? JSON.stringify(one) : line(one));
      }
    } finally {
      await writer.close();
    }
    if (!json) console.log(summary(counts, dryRun));
    return dryRun || counts.dead === 0 ? 0 : 1;
  },
});

function line({ id, provider, type, status, attempts, error, passedOver }: Replayed): string {
  const times = `${attempts} attempt${attempts === 1 ? '' : 's'}`;
  const why = passedOver === undefined ? (error ?? '') : `not tried: ${passedOver}`;
  return `${status.padEnd(8)}${id}  ${provider} ${type}, ${times}${why === '' ? '' : `: ${why}`}`;
}

function summary({ seen, dead }: { seen: number; dead: number }, dryRun: boolean): string {
  if (seen === 0) return 'No delivery is dead.';
  return dryRun
    ? `${seen} dead, none of them tried.`
    : `${seen} dead, ${seen - dead} of them settled now, ${dead} still dead.`;
}
