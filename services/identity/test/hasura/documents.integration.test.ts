import { readFile } from 'node:fs/promises';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateTypes, introspect, readDocuments, SCHEMA_FILE, TYPES_FILE } from '../../codegen/generate.ts';

const documents = await readDocuments();
let committed: string;
let project: EmbeddedProject;
beforeAll(async () => {
  committed = await readFile(SCHEMA_FILE, 'utf8');
  project = await startEmbedded();
});
afterAll(() => project.close());

test('the committed schema is what the engine says now (else: npm run codegen)', async () => {
  expect(await introspect(project.config.endpoint, project.config.adminSecret)).toBe(committed);
});

describe('the operations of the service', () => {
  test.each([...documents.keys()])('%s is valid', (name) => {
    expect(validate(buildSchema(committed), parse(documents.get(name) ?? ''))).toEqual([]);
  });

  test('have the types that are committed (else: npm run codegen)', async () => {
    expect(await generateTypes(committed)).toBe(await readFile(TYPES_FILE, 'utf8'));
  });
});
