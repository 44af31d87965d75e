import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetadataApi } from '../../project/metadata-api.ts';
import { readProject } from '../../project/project.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('what the hasura CLI reads, latchkey reads as it does', () => {
  const config = (text: string) => writeFile(join(folder, 'config.yaml'), text);

  test('the secret of config.yaml, below that of .env, below that of the environment', async () => {
    await config('endpoint: http://a\nadmin_secret: of the file\nmetadata_directory: ../metadata\n');
    expect(await readProject(folder)).toMatchObject({ adminSecret: 'of the file' });
    await writeFile(join(folder, '.env'), 'HASURA_GRAPHQL_ADMIN_SECRET=of .env\n');
    expect(await readProject(folder)).toMatchObject({ adminSecret: 'of .env' });
    const environment = {
      HASURA_GRAPHQL_ADMIN_SECRET: 'of the environment',
      HASURA_GRAPHQL_ENDPOINT: 'http://b',
    };
    expect(await readProject(folder, environment)).toMatchObject({
      adminSecret: 'of the environment',
      endpoint: 'http://b',
    });
  });

  test('a file without a version, with merge keys, and one of an older version', async () => {
    await config('x: &base\n  metadata_directory: elsewhere\n<<: *base\n');
    expect((await readProject(folder)).metadataDirectory).toMatch(/\/elsewhere$/);
    await config('version: 2\n');
    await expect(readProject(folder)).rejects.toThrow(/config\.yaml: version: must be 3/);
  });
});

test.each(['/v1/graphql', '/console/data', '/v1/metadata', '/v2/query', '/base/v1/graphql'])(
  'an address that ends in %s is named with the right one',
  (path) => {
    const base = path.startsWith('/base') ? '/base' : '';
    expect(() => createMetadataApi(`http://127.0.0.1:8080${path}`, undefined)).toThrow(
      `so that it is http://127.0.0.1:8080${base}.`,
    );
  },
);
