import { expect, test } from 'vitest';
import { hashOrder } from '#base/hash-order.ts';

const order = (...names: string[]) => hashOrder(names, (name) => name);

test.each([
  [
    ['author', 'editor', 'guest'],
    ['editor', 'guest', 'author'],
  ],
  [
    ['guest', 'non_paying_user'],
    ['non_paying_user', 'guest'],
  ],
  [
    ['free_user', 'premium_user_free_trial'],
    ['premium_user_free_trial', 'free_user'],
  ],
  [
    ['manager', 'employee'],
    ['employee', 'manager'],
  ],
  [
    ['author_id', 'id'],
    ['id', 'author_id'],
  ],
])('names come in the order that Hasura was seen to give: %j', (given, expected) => {
  expect(order(...given)).toEqual(expected);
});

test('names of every length have their place, whatever order they are given in', () => {
  const names = Array.from({ length: 140 }, (_, length) => 'abcdefg'.repeat(20).slice(0, length));
  const sorted = order(...names);
  expect(new Set(sorted)).toEqual(new Set(names));
  expect(order(...names.toReversed())).toEqual(sorted);
  // From the reference implementation of XXH3, at each of its branches.
  expect(order('', 'a', 'abcde', 'abcdefgabc', 'abcdefgabcdefgabcdef', 'abcdefg'.repeat(14))).toEqual([
    'abcdefgabcdefgabcdef',
    '',
    'abcdefgabc',
    'abcde',
    'abcdefg'.repeat(14),
    'a',
  ]);
});
