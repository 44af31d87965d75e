/** Answers of the metadata API that are more than success: refusals, defaults, what is left behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ REAL: 'of the engine' });
  await engine.database.query('CREATE TABLE one (id integer); CREATE TABLE two (id integer)');
  for (const table of ['one', 'two']) await engine.metadata('pg_track_table', { table });
  await engine.metadata('pg_create_event_trigger', trigger('one'));
}, 60_000);
afterAll(() => engine?.close());

const trigger = (table: string, more: object = {}) => ({
  name: 'changes',
  table,
  webhook: 'http://127.0.0.1:1',
  insert: { columns: '*' },
  ...more,
});
const cron = (name: string, more: object = {}) => ({
  name,
  webhook: 'http://127.0.0.1:1',
  schedule: '0 0 1 1 *',
  include_in_metadata: true,
  ...more,
});
const transform = (more: object = {}) => ({
  webhook_url: 'http://example.test/{{PATH}}',
  env: { PATH: 'there' },
  body: { a: 1 },
  request_transform: { version: 2, template_engine: 'Kriti' },
  ...more,
});

describe('a refusal', () => {
  it.each<[string, object, string, string]>([
    [
      'create_cron_trigger',
      cron('none', { replace: true }),
      'not-exists',
      'cron trigger with name: none does not exist',
    ],
    ['delete_cron_trigger', { name: 'none' }, 'not-exists', 'cron trigger with name: none does not exist'],
    [
      'create_cron_trigger',
      { name: 'x', webhook: 'http://x', schedule: '* * * * *' },
      'parse-failed',
      'key "include_in_metadata" not found',
    ],
    [
      'pg_create_event_trigger',
      trigger('one'),
      'already-exists',
      'Event trigger with name "changes" already exists',
    ],
    [
      'pg_create_event_trigger',
      trigger('two', { replace: true }),
      'not-supported',
      'cannot replace table or schema for trigger',
    ],
    [
      'pg_create_event_trigger',
      trigger('two', { replace: true, name: 'none' }),
      'not-exists',
      'event trigger "none" does not exist',
    ],
    ['pg_delete_event_trigger', { name: 'none' }, 'not-exists', 'event trigger "none" does not exist'],
    [
      'pg_invoke_event_trigger',
      { name: 'changes', payload: {} },
      'not-supported',
      'manual mode is not enabled for event trigger',
    ],
    [
      'reload_metadata',
      { reload_sources: ['none'] },
      'not-exists',
      'Source with name "none" not found in metadata',
    ],
    [
      'reload_metadata',
      { recreate_event_triggers: ['none'] },
      'not-exists',
      'Source with name "none" not found in metadata',
    ],
    ['pg_track_tables', { tables: [] }, 'invalid-configuration', 'all tables failed to track'],
    [
      'pg_track_tables',
      { tables: [{ table: 'a' }, { table: { name: 'a', schema: 'public' } }] },
      'bad-request',
      'The following tables occur more than once in the request: default.a',
    ],
    [
      'pg_untrack_tables',
      { tables: [{ table: 'two' }, { table: 'none' }], allow_warnings: false },
      'metadata-warnings',
      'failed due to metadata warnings',
    ],
    ['add_host_to_tls_allowlist', { host: '' }, 'bad-request', 'key "host" cannot be empty'],
    ['drop_host_from_tls_allowlist', { host: '' }, 'bad-request', 'hostname cannot be empty'],
    [
      'drop_host_from_tls_allowlist',
      { host: 'h', suffix: '1' },
      'not-exists',
      'the host "h" with suffix "1" isn\'t present in the allowlist',
    ],
    [
      'pg_add_source',
      {
        name: 's',
        configuration: { connection_info: { database_url: 'postgres://h/d' } },
        health_check: { test: { sql: 'SELECT 1' } },
      },
      'parse-failed',
      expect.stringMatching(/source health checks are not supported by the embedded engine; remove them/),
    ],
    [
      'test_webhook_transform',
      transform({ webhook_url: 'http://{{REAL}}' }),
      'not-found',
      expect.stringMatching(/^Missing Env Var: REAL\. For security reasons/),
    ],
    [
      'test_webhook_transform',
      transform({ request_headers: [['x', '{{REAL}}']] }),
      'not-found',
      expect.stringMatching(/^Missing Env Var: REAL\. /),
    ],
    [
      'test_webhook_transform',
      transform({ webhook_url: { from_env: 'REAL' } }),
      'not-found',
      'Missing Env Var',
    ],
    [
      'test_webhook_transform',
      transform({ webhook_url: 'nowhere' }),
      'validation-failed',
      'request transform validation failed',
    ],
  ])('of %s %j says why', async (type, args, code, error) => {
    expect(await engine.refusal(type, args)).toMatchObject({ code, error });
  });

  it('leaves what it refused as it was', async () => {
    const exported = JSON.stringify(await engine.metadata('export_metadata', {}));
    expect(exported).toContain('"name":"two"');
    expect(exported).not.toContain('health_check');
  });
});

describe('hosts whose certificates are not looked at', () => {
  it('are kept by host and suffix', async () => {
    const list = async () =>
      JSON.stringify(await engine.metadata('export_metadata', {})).match(/"tls_allowlist":(\[.*?\])/)?.[1];
    const host = { host: 'h', suffix: '8443' };
    await engine.metadata('add_host_to_tls_allowlist', 'h');
    await engine.metadata('add_host_to_tls_allowlist', host);
    expect(await engine.refusal('add_host_to_tls_allowlist', host)).toMatchObject({
      code: 'already-exists',
      error: 'the host "h" with suffix "8443" already exists in the allowlist',
    });
    expect(await list()).toBe('[{"host":"h"},{"host":"h","suffix":"8443"}]');
    await engine.metadata('drop_host_from_tls_allowlist', { host: 'h' });
    expect(await list()).toBe('[{"host":"h","suffix":"8443"}]');
    await engine.metadata('drop_host_from_tls_allowlist', host);
  });
});

describe('cron triggers', () => {
  it('are told with their defaults', async () => {
    await engine.metadata('create_cron_trigger', cron('kept'));
    expect(await engine.metadata('get_cron_triggers', {})).toEqual({
      cron_triggers: [
        {
          ...cron('kept'),
          headers: [],
          retry_conf: {
            num_retries: 0,
            retry_interval_seconds: 10,
            timeout_seconds: 60,
            tolerance_seconds: 21600,
          },
        },
      ],
    });
  });

  it('that no export includes survive replaced and cleared metadata', async () => {
    await engine.metadata('create_cron_trigger', cron('own', { include_in_metadata: false }));
    const exported = z.looseObject({}).parse(await engine.metadata('export_metadata', {}));
    expect(JSON.stringify(exported)).not.toContain('"own"');
    const names = async () =>
      z
        .object({ cron_triggers: z.array(z.object({ name: z.string() })) })
        .parse(await engine.metadata('get_cron_triggers', {}))
        .cron_triggers.map(({ name }) => name);
    await engine.metadata('replace_metadata', exported);
    expect(await names()).toEqual(['kept', 'own']);
    expect(
      await engine.refusal('replace_metadata', { ...exported, cron_triggers: [cron('own')] }),
    ).toMatchObject({
      code: 'already-exists',
      error:
        'cron trigger with name "own" already exists as a cron trigger with "included_in_metadata" as false',
    });
    await engine.metadata('clear_metadata', {});
    expect(await names()).toEqual(['own']);
    await engine.metadata('replace_metadata', exported);
  });
});

describe('event triggers of one name', () => {
  it('are refused when metadata is replaced', async () => {
    const exported = JSON.stringify(await engine.metadata('export_metadata', {}));
    const doubled = JSON.parse(exported, (key, value: unknown) =>
      key === 'tables' && Array.isArray(value)
        ? value.map((table) => ({ ...table, event_triggers: value[0].event_triggers }))
        : value,
    );
    expect(await engine.refusal('replace_metadata', doubled)).toMatchObject({
      code: 'not-supported',
      error: 'Event trigger with duplicate names not allowed: "changes"',
    });
  });
});

describe('an action that is dropped', () => {
  it('takes its log with it, unless that is to be kept', async () => {
    const definition = { handler: 'http://127.0.0.1:1', kind: 'asynchronous', type: 'mutation' };
    await engine.metadata('set_custom_types', {
      objects: [{ name: 'O', fields: [{ name: 'a', type: 'Int' }] }],
    });
    const calls = async () =>
      (await engine.database.query('SELECT action_name FROM hdb_catalog.hdb_action_log')).length;
    for (const [clear, left] of [
      [{ clear_data: false }, 1],
      [{}, 0],
    ] as const) {
      await engine.metadata('create_action', {
        name: 'later',
        definition: { ...definition, output_type: 'O' },
      });
      const { body } = await engine.graphql('mutation { later }');
      expect(body).toHaveProperty('data.later');
      await engine.metadata('drop_action', { name: 'later', ...clear });
      expect(await calls()).toBe(left);
    }
  });
});
