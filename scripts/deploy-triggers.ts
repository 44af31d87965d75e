import { relative } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { AwsError, awsCli } from './deploy-triggers/aws-cli.ts';
import { deployTriggers } from './deploy-triggers/deploy.ts';
import { readDeploySettings } from './deploy-triggers/settings.ts';
import { environment, environmentWithDotEnv, PROJECT_ROOT } from './environment.ts';

/** `npm run deploy:triggers`: what docs/cognito.md needs at AWS, all but the pool and its triggers. */
try {
  const settings = readDeploySettings(environmentWithDotEnv());
  const tell = (line: string) => console.error(line);
  // With the credentials of whoever runs this: those in .env are the service's, and may do much less.
  const policy = await deployTriggers(awsCli(settings.region, environment), settings, { tell });
  if (settings.serviceRole === undefined) {
    console.log(
      `Give the role or user of the identity service the policy ${relative(PROJECT_ROOT, policy)} (or set LATCHKEY_SERVICE_ROLE to the role's name, and run this again).`,
    );
  }
  console.log('Then attach the functions to each pool: docs/cognito.md, "The triggers".');
} catch (error) {
  if (!(error instanceof LatchkeyError || error instanceof AwsError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof LatchkeyError ? 2 : 3;
}
