import { afterAll, beforeAll, expect, test } from 'vitest';
import { noTokenGate } from './gates/no-token.ts';
import { secretGate } from './gates/secrets.ts';
import { tokenGate } from './gates/tokens.ts';
import { webhookGate } from './gates/webhooks.ts';
import { startWorld, type World } from './world.ts';

// One world for all gates: what is sent to one of them must not open another.
let open: World | undefined;
function world(): World {
  if (open === undefined) throw new Error('The world has not been started.');
  return open;
}
beforeAll(async () => {
  open = await startWorld();
}, 120_000);
afterAll(() => open?.close());

webhookGate(world);
tokenGate(world);
noTokenGate(world);
secretGate(world);

test('that was no small number', () => {
  console.log(`${world().counted()} hostile requests.`);
  expect(world().counted()).toBeGreaterThan(1_000);
});
