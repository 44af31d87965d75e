import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { isScalar, parseDocument, visit } from 'yaml';
import { readActions } from './actions.ts';

/** Metadata as `replace_metadata` takes them (version 3). */
export type Metadata = { version: 3; sources: unknown[]; [key: string]: unknown };

/** Told of each file that is read. */
type OnFile = (file: string) => void;

/** Which file of the hasura CLI's layout holds which key of the metadata. */
const FILES: Readonly<Record<string, string>> = {
  sources: 'databases/databases.yaml',
  remote_schemas: 'remote_schemas.yaml',
  query_collections: 'query_collections.yaml',
  allowlist: 'allow_list.yaml',
  cron_triggers: 'cron_triggers.yaml',
  rest_endpoints: 'rest_endpoints.yaml',
  inherited_roles: 'inherited_roles.yaml',
  api_limits: 'api_limits.yaml',
  graphql_schema_introspection: 'graphql_schema_introspection.yaml',
  network: 'network.yaml',
  opentelemetry: 'opentelemetry.yaml',
  metrics_config: 'metrics_config.yaml',
  backend_configs: 'backend_configs.yaml',
};

/**
 * Reads a metadata folder in the hasura CLI's layout, with its `!include`s.
 *
 * @throws LatchkeyError `configuration-invalid` naming the file, if one is missing, is not YAML, or cannot be brought along
 */
export async function readMetadata(folder: string, onFile: OnFile = () => {}): Promise<Metadata> {
  const readYaml = (file: string, required = true) => readIncluding(file, required, onFile);
  const version = await readYaml(join(folder, 'version.yaml'));
  if (!isRecord(version) || version.version !== 3) {
    throw new LatchkeyError(
      'configuration-invalid',
      `${join(folder, 'version.yaml')} must say "version: 3".`,
    );
  }
  const metadata: Metadata = { version: 3, sources: [] };
  for (const [key, file] of Object.entries(FILES)) {
    const value = await readYaml(join(folder, file), key === 'sources');
    // The CLI writes an empty file for what is not used.
    if (isEmpty(value)) continue;
    metadata[key] = value;
  }
  const sdl = await readFile(join(folder, 'actions.graphql'), 'utf8').catch(() => '');
  const { actions, custom_types } = readActions(await readYaml(join(folder, 'actions.yaml'), false), sdl);
  if (actions.length > 0) metadata.actions = actions;
  if (!Object.values(custom_types).every(isEmpty)) metadata.custom_types = custom_types;
  return metadata;
}

/** Files of tables and functions that no list includes, relative to the folder: whoever wrote one meant it to count. */
export async function unlistedFiles(folder: string): Promise<string[]> {
  const read = new Set<string>();
  await readMetadata(folder, (file) => read.add(file));
  const unlisted: string[] = [];
  for await (const file of glob('databases/*/{tables,functions}/**/*.{yaml,yml}', { cwd: folder })) {
    if (!read.has(join(folder, file))) unlisted.push(relative(folder, join(folder, file)));
  }
  return unlisted.sort();
}

async function readIncluding(file: string, required: boolean, onFile: OnFile): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (!required) return undefined;
    throw new LatchkeyError('configuration-invalid', `${file} cannot be read: ${reason(cause)}.`, { cause });
  }
  onFile(file);
  // As the CLI reads it: `<<: *base` takes over what an anchor has.
  const document = parseDocument(text, { logLevel: 'silent', merge: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw new LatchkeyError('configuration-invalid', `${file}: ${error.message.split('\n')[0]}`);
  // Both of the CLI's spellings: a string "!include file" and the tag !include file.
  visit(document, {
    Scalar(_key, node) {
      if (node.tag !== '!include') return;
      node.value = `!include ${node.value}`;
      delete node.tag;
    },
  });
  const value = isScalar(document.contents) ? document.contents.value : document.toJS();
  return include(dirname(file), value, onFile);
}

async function include(folder: string, value: unknown, onFile: OnFile): Promise<unknown> {
  if (typeof value === 'string') {
    const [, path] = /^!include\s+(.+)$/.exec(value) ?? [];
    return path === undefined ? value : readIncluding(join(folder, path), true, onFile);
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => include(folder, item, onFile)));
  if (isRecord(value)) {
    const entries = Object.entries(value).map(
      async ([key, item]) => [key, await include(folder, item, onFile)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
