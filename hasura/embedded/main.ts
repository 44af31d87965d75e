/** `npm run engine`: the embedded engine in the foreground, told by HASURA_GRAPHQL_* what Hasura would be told. */
import { setFlagsFromString } from 'node:v8';
import { ConfigError, readConfig } from './config.ts';
import { createEngine } from './index.ts';
import { createLogger } from './log.ts';

// Where a machine has much memory V8 lets the heap grow to four times of what lives before it looks for
// garbage. Less than half as much saves a fifth of the memory under load, for a few percent of processor time.
setFlagsFromString('--heap-growing-percent=70');

const log = createLogger((line) => process.stdout.write(line));

try {
  const engine = await createEngine(readConfig(), log);
  log.info('startup', { message: `listening on ${engine.url}`, url: engine.url });
  let closing = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal means now.
    if (closing) process.exit(1);
    closing = true;
    log.info('shutdown', { signal });
    void engine.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
