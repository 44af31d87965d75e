import { describe, expect, test } from 'vitest';
import { FAULT_INPUT, type FaultInput } from '#stand-ins/core/fault-input.ts';
import { createFaults } from '#stand-ins/core/faults.ts';

const input = (fields: Record<string, unknown>): FaultInput => FAULT_INPUT.parse(fields);

describe('a fault', () => {
  test('is applied so many times, to the types that it names', () => {
    const faults = createFaults();
    faults.add(input({ fault: 'drop', times: 2, types: 'user.*' }));
    const dropped = ['organization.created', 'user.created', 'user.updated', 'user.deleted'].map(
      (type) => faults.onWebhook(type).dropped,
    );
    expect(dropped).toEqual([false, true, true, false]);
    expect(faults.list()).toMatchObject([{ id: 1, fault: 'drop', times: 2, applied: 2 }]);
  });

  test('of calls is the first one that meets, and uses up no other', () => {
    const faults = createFaults();
    faults.add(input({ fault: 429, times: 1, paths: '/v1/*', retry_after: 3 }));
    faults.add(input({ fault: 500, times: 1 }));
    const calls = ['/v1/users', '/v1/users', '/v1/users'].map((path) => faults.onCall(path)?.kind);
    expect(calls).toEqual(['429', '500', undefined]);
  });

  test('with a probability meets the same ones for the same seed', () => {
    const meets = (seed: number) => {
      const faults = createFaults();
      faults.add(input({ fault: 'duplicate', probability: 0.5, seed }));
      return Array.from({ length: 64 }, () => faults.onWebhook('any').duplicated);
    };
    expect(meets(7)).toEqual(meets(7));
    expect(meets(7)).not.toEqual(meets(8));
    expect(meets(7).filter((met) => met).length).toBeGreaterThan(16);
  });

  test('that reorders lets out those that it has gathered, the last one first', async () => {
    const faults = createFaults();
    faults.add(input({ fault: 'reorder', ms: 30 }));
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async (number) => {
        const plan = faults.onWebhook('any');
        await plan.held;
        order.push(number);
        plan.done();
      }),
    );
    expect(order).toEqual([3, 2, 1]);
  });

  test('lets out what it holds back when all are ended', async () => {
    const faults = createFaults();
    faults.add(input({ fault: 'delay', ms: 60_000 }));
    faults.add(input({ fault: 'reorder', ms: 60_000 }));
    const { held } = faults.onWebhook('any');
    faults.clear();
    await held;
    expect(faults.onWebhook('any').held).toBeUndefined();
  });

  test.each([
    [{ fault: 'explode' }, 'must be one of drop, lose'],
    [{ fault: 'drop', paths: '/v1/*' }, 'drop takes types'],
    [{ fault: 429, types: 'user.*' }, '429 takes paths'],
    [{ fault: 'drop', probability: 2 }, 'probability'],
    [{ fault: 'drop', typo: 1 }, 'typo'],
    [{}, 'must be one of'],
  ])('like %o is refused', (fields, message) => {
    expect(String(FAULT_INPUT.safeParse(fields).error)).toContain(message);
  });
});
