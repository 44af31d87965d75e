import { LatchkeyError } from '@latchkey/core/errors';
import { type Config, readConfig } from '@latchkey/identity/config/read-config';
import { DELETION_LIMIT, shareOfAll } from '@latchkey/identity/core/settings/deletion-limit';
import { createHasuraClient } from '@latchkey/identity/hasura/client';
import { hasDirectory, withoutPart } from '@latchkey/identity/providers/parts';
import { loadProviders, PROVIDER_NAMES } from '@latchkey/identity/providers/registry';
import { observeRetries } from '@latchkey/identity/providers/with-retry';
import { backfill, drift, repair } from '@latchkey/identity/sync/reconcile';
import type { ReconcileContext } from '@latchkey/identity/sync/reconcile-context';
import { driftOf, type Report, sum } from '@latchkey/identity/sync/report';
import { createWriter } from '@latchkey/identity/sync/writer';
import { defineCommand, defineGroup } from './command.ts';
import { environmentWithDotEnv } from './environment.ts';
import { progressPrinter } from './sync/progress.ts';
import { reportJson, reportText } from './sync/report-text.ts';

/** The engine has nothing else to do for us, and a few mutations at once keep it and its database busy. */
const WRITES_IN_FLIGHT = 4;
const QUEUE_LIMIT = 10_000;

const COMMON = {
  provider: {
    type: 'string',
    placeholder: PROVIDER_NAMES.join('|'),
    choices: PROVIDER_NAMES,
    help: 'Only this one (default: all that are set up, one after the other).',
  },
  json: { type: 'boolean', help: 'Print the report as JSON.' },
  quiet: { type: 'boolean', short: 'q', help: 'Print no progress.' },
} as const;
const RUN = {
  'take-over': {
    type: 'boolean',
    help: 'Push a run aside that seems to be alive: only if its process is gone.',
  },
  restart: { type: 'boolean', help: 'Begin anew, where an earlier one was cut off.' },
} as const;

const SETTINGS = `
The settings are the identity service's: HASURA_GRAPHQL_ENDPOINT, HASURA_GRAPHQL_ADMIN_SECRET and the
provider's, from the environment or .env.`;

const backfillCommand = defineCommand({
  name: 'backfill',
  summary: 'Write everybody the provider holds.',
  description: `
Writes everybody the provider holds into the tables: users, organizations, memberships. It deletes
nothing, and what webhooks write meanwhile is kept where it is newer. Ended early, by a crash too, it
goes on where it was.
${SETTINGS}

Exit codes: 0 done, 1 some records were refused, 2 wrong call or setting, 3 Hasura or the provider does
not answer.`,
  options: {
    ...COMMON,
    ...RUN,
  },
  run: (values) =>
    reconcileEach('backfill', values, (context) =>
      backfill(context, { takeOver: values['take-over'], restart: values.restart }),
    ),
});

const driftCommand = defineCommand({
  name: 'drift',
  summary: 'Say how provider and tables differ; exit code 1 if they do.',
  description: `
Compares what the provider holds with the tables, and changes nothing: what is missing, stale, extra
(the provider does not have it) or orphaned (a membership whose user or organization is deleted).
${SETTINGS}

Exit codes: 0 no differences, 1 some, 2 wrong call or setting, 3 Hasura or the provider does not answer.`,
  options: COMMON,
  run: (values) => reconcileEach('drift', values, (context) => drift(context)),
});

const repairCommand = defineCommand({
  name: 'repair',
  summary: 'Make the tables what the provider holds, deletions too.',
  description: `
Makes the tables what the provider holds: writes what is missing or stale, and marks as deleted what a
complete listing did not name and the provider, asked for it by name, does not have. Where too much
would be deleted at once nothing is, and the command says what would. Ended early, by a crash too, it
goes on where it was.
${SETTINGS}

Exit codes: 0 done, 1 too much would be deleted, or some records were refused, 2 wrong call or setting,
3 Hasura or the provider does not answer.`,
  options: {
    ...COMMON,
    ...RUN,
    'deletion-limit': {
      type: 'string',
      placeholder: 'share',
      help: `Fewer than this share of the users (organizations, memberships) may\nbe deleted at once, 100% for any number (LATCHKEY_DELETION_LIMIT, ${DELETION_LIMIT.share * 100}%), or\nas few as LATCHKEY_DELETION_LIMIT_ROWS (${DELETION_LIMIT.rows}) while some are left.`,
    },
  },
  run: (values) => {
    const allowed = share(values['deletion-limit']);
    return reconcileEach('repair', values, (context, { deletionLimit }) =>
      repair(context, {
        takeOver: values['take-over'],
        restart: values.restart,
        deletionLimit: { ...deletionLimit, ...(allowed !== undefined && { share: allowed }) },
      }),
    );
  },
});

/** `latchkey sync backfill|drift|repair`. */
export const sync = defineGroup('sync', [backfillCommand, driftCommand, repairCommand]);

/** One provider after the other. An interrupt ends it in order; a backfill goes on from there later. */
async function reconcileEach(
  name: string,
  values: { provider?: string; json?: boolean; quiet?: boolean },
  reconcile: (context: ReconcileContext, config: Config) => Promise<Report>,
): Promise<number> {
  const config = readConfig(environmentWithDotEnv());
  const engine = createHasuraClient(config.engine);
  const providers = [...(await loadProviders(config.providers, engine)).values()].filter(
    (provider) => values.provider === undefined || provider.name === values.provider,
  );
  if (providers.length === 0) {
    throw new LatchkeyError(
      'configuration-invalid',
      `--provider ${values.provider} is not set up: its variables are missing.`,
    );
  }
  const listed = providers.filter(hasDirectory);
  for (const provider of providers) {
    if (hasDirectory(provider)) continue;
    const { message } = withoutPart(provider, 'directory', 'configuration-invalid');
    if (listed.length === 0) throw new LatchkeyError('configuration-invalid', message);
    console.error(`latchkey sync: ${message}`);
  }
  const writer = createWriter(engine, { inFlight: WRITES_IN_FLIGHT, queueLimit: QUEUE_LIMIT });
  const interrupted = new AbortController();
  const stop = () =>
    interrupted.abort(new LatchkeyError('shutting-down', `The ${name} was interrupted: run it again.`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  // scripts/latchkey.js, whom one sees and kills, is gone. The channel to it keeps nothing alive.
  process.once('disconnect', stop);
  process.channel?.unref();
  const reports: Report[] = [];
  try {
    for (const provider of listed) {
      const printer = progressPrinter(provider.name, process.stderr);
      const onProgress = values.quiet === true ? undefined : printer.show;
      try {
        const context = { provider, engine, writer, signal: interrupted.signal, onProgress };
        reports.push(
          await observeRetries(values.quiet === true ? () => {} : printer.wait, () =>
            reconcile(context, config),
          ),
        );
      } finally {
        printer.end();
      }
      if (values.json !== true)
        console.log(`${reports.length > 1 ? '\n' : ''}${reports.map(reportText).at(-1)}`);
    }
    await writer.close();
  } finally {
    for (const event of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.off(event, stop);
    if (values.json === true) console.log(JSON.stringify(reports.map(reportJson), null, 2));
  }
  const isAmiss = (report: Report) =>
    sum(report.refused) + report.unreadable > 0 || (report.task === 'drift' && driftOf(report) > 0);
  return reports.some(isAmiss) ? 1 : 0;
}

/** @returns a number from 0 to 1 */
function share(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = shareOfAll.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new LatchkeyError('configuration-invalid', `--deletion-limit takes 0% to 100%, not ${text}.`);
}
