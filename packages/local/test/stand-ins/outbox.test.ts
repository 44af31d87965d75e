import { expect, test } from 'vitest';
import { createOutbox } from '#stand-ins/core/outbox.ts';

test('many changes at once are saved once, and what comes while that is under way is saved after it', async () => {
  const state: number[] = [];
  const saves: number[][] = [];
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const outbox = createOutbox<number>(
    () => {},
    async () => {
      saves.push([...state]);
      begun.resolve();
      await goOn.promise;
    },
  );
  const change = (value: number): void => {
    state.push(value);
    outbox.put(value);
  };
  for (const value of [1, 2, 3]) change(value);
  await begun.promise;
  change(4);
  goOn.resolve();
  await outbox.saved();
  expect(saves).toEqual([
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
});
