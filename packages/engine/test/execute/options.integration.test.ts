import { afterEach, describe, expect, test } from 'vitest';
import { startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

const started: TestCore[] = [];
afterEach(async () => {
  for (const core of started.splice(0)) await core.close();
});

async function start(env: Record<string, string>): Promise<TestCore> {
  const core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE, { env });
  started.push(core);
  return core;
}

describe('HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE', () => {
  const ids =
    'query ($id: Int, $ids: [Int!]) { author(where: {id: {_eq: $id, _in: $ids}, name: {_is_null: null}}) { id } }';

  test('makes comparisons with null hold for every row', async () => {
    const { query } = await start({ HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE: 'true' });
    expect(await query(ids)).toEqual({ author: [{ id: 1 }, { id: 2 }, { id: 3 }] });
    expect(await query(ids, undefined, { id: 2, ids: null })).toEqual({ author: [{ id: 2 }] });
    expect(await query(ids, undefined, { id: null, ids: [3] })).toEqual({ author: [{ id: 3 }] });
    expect(await query('{ author(where: {profile: {_has_key: null}}) { id } }')).toEqual({
      author: [{ id: 1 }, { id: 2 }, { id: 3 }],
    });
  });

  test('is off unless set: they are errors', async () => {
    const { failure } = await start({});
    expect(await failure('{ author(where: {id: {_in: null}}) { id } }')).toBe(
      'validation-failed $.selectionSet.author.args.where.id._in expected a list, but found null',
    );
  });
});

describe('HASURA_GRAPHQL_EXPERIMENTAL_FEATURES', () => {
  const surface = `{
    conditions: __type(name: "author_bool_exp") { inputFields { name } }
    mutations: __type(name: "mutation_root") { fields { name } }
    subscriptions: __type(name: "subscription_root") { fields { name } }
  }`;

  test('hides what it names', async () => {
    const features = 'hide_stream_fields,hide_update_many_fields,hide_aggregation_predicates';
    const [shown, hidden] = [
      JSON.stringify(await (await start({})).query(surface)),
      JSON.stringify(await (await start({ HASURA_GRAPHQL_EXPERIMENTAL_FEATURES: features })).query(surface)),
    ];
    for (const name of ['author_stream', 'update_author_many', 'articles_aggregate']) {
      expect(shown).toContain(`"${name}"`);
      expect(hidden).not.toContain(`"${name}"`);
    }
  });
});
