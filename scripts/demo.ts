import { untilStopped } from '@latchkey/local/processes/stopping';
import { defineCommand } from './command.ts';
import { createChecklist } from './demo/checklist.ts';
import { runSteps } from './demo/steps.ts';
import { environment } from './environment.ts';
import { startStack } from './stack/stack.ts';

export const demo = defineCommand({
  name: 'demo',
  description: `
Starts the whole stack on throw-away data, plays a day of two users, and checks at each step that what
should be visible is, and that what should not be is not. Exits with 0 only if every check holds.

LATCHKEY_ENGINE and LATCHKEY_DATABASE_URL are honoured as by latchkey start; a database that is named
should be an empty one.`,
  options: { verbose: { type: 'boolean', short: 'v', help: 'Show what the programs print.' } },
  async run(values) {
    const began = performance.now();
    const stopping = untilStopped();
    const stack = await startStack({
      databaseUrl: environment.LATCHKEY_DATABASE_URL,
      engineCommand: environment.LATCHKEY_ENGINE,
      ...(values.verbose === true
        ? { onLine: (name: string, line: string) => console.log(`${name}: ${line}`) }
        : {}),
    });
    try {
      console.log(`Latchkey on ${stack.engine.description}, with a local Clerk.`);
      const checklist = createChecklist((line) => console.log(line));
      const cutShort = Promise.race([stack.failed, stopping.then(() => 'interrupted')]);
      const reason = await Promise.race([runSteps(stack, checklist), cutShort]);
      if (reason !== undefined) {
        console.error(`latchkey demo: ${reason}`);
        return 1;
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const { held, broken } = checklist.counts();
      console.log(
        broken === 0
          ? `\nAll ${held} checks hold (${seconds} s).`
          : `\n${broken} of ${held + broken} checks do not hold.`,
      );
      return broken === 0 ? 0 : 1;
    } finally {
      await stack.close();
    }
  },
});
