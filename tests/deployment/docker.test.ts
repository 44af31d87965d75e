import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { engineSettings } from '@latchkey/core/engine-settings';
import { VARIABLES } from '@latchkey/identity/config/read-config';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        image: z.string().optional(),
        build: z
          .object({ context: z.string(), dockerfile: z.string(), args: z.record(z.string(), z.string()) })
          .optional(),
        environment: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
        volumes: z.array(z.string()).default([]),
        healthcheck: z.object({ test: z.array(z.string()) }).optional(),
        depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
      }),
    ),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(read('docker-compose.yml')));

function service(name: string) {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

describe('docker-compose.yml', () => {
  test('gives the service only variables that it reads', () => {
    const given = Object.keys(service('identity').environment);
    // The AWS SDK reads its own.
    expect(given.filter((name) => !VARIABLES.includes(name) && !name.startsWith('AWS_'))).toEqual([]);
    expect(given).toContain('HASURA_GRAPHQL_ADMIN_SECRET');
  });

  test('gives Hasura only variables that an engine knows', () => {
    const { environment } = service('hasura');
    const asStrings = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value === null ? '' : String(value)]),
    );
    // The embedded engine warns of what it does not know before it looks for its database.
    const engine = spawnSync(process.execPath, [join(root, 'packages/engine/src/main.ts')], {
      env: { ...asStrings, HASURA_GRAPHQL_DATABASE_URL: 'postgres://127.0.0.1:9/nobody-listens-here' },
      encoding: 'utf8',
    });
    expect(engine.stderr).toMatch(/the database does not answer/);
    expect(engine.stdout).toBe('');
  });

  test('lets Hasura trust tokens either way, and passes on no empty setting', () => {
    const { environment } = service('hasura');
    const printed = Object.keys({
      ...engineSettings([{ jwk_url: '', issuer: '' }], { edition: 'ce', strict: false, serviceUrl: '' }),
      ...engineSettings([], { edition: 'ce', strict: true, serviceUrl: '' }),
    });
    expect(printed).toHaveLength(4);
    expect(printed.filter((name) => environment[name] !== null)).toEqual([]);
  });

  test('takes every secret from the environment, and .env.example names each one', () => {
    const text = read('docker-compose.yml');
    const used = [...text.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]);
    const passedOn = Object.values(compose.services).flatMap(({ environment }) =>
      Object.keys(environment).filter((name) => environment[name] === null),
    );
    // Also those that wait to be made use of.
    const example = parseEnv(read('.env.example').replaceAll(/^#(?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(example).sort()).toEqual([...new Set([...used, ...passedOn])].sort());
    for (const { environment } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        if (value !== null && /SECRET|PASSWORD|_KEY$/.test(name)) expect(String(value)).toMatch(/^\$\{/);
      }
    }
  });

  test('lets every provider setting that the service has be set', () => {
    const given = Object.keys(service('identity').environment);
    const secrets = VARIABLES.filter((name) => /SECRET/.test(name));
    expect(secrets.filter((name) => !given.includes(name))).toEqual([]);
    const ofCognito = VARIABLES.filter((name) => name.startsWith('COGNITO_'));
    expect(ofCognito.filter((name) => !given.includes(name))).toEqual([]);
  });

  test('lets Hasura connect as a role that its PostgreSQL is made with, and not as the superuser', () => {
    const url = new URL(String(service('hasura').environment.HASURA_GRAPHQL_DATABASE_URL).replace('${', '{'));
    expect([url.username, url.pathname]).toEqual(['hasura', '/hasura']);
    const [, mounted = ''] =
      service('postgres')
        .volumes.find((volume) => volume.startsWith('./deploy/'))
        ?.split(':') ?? [];
    expect(mounted).toMatch(/^\/docker-entrypoint-initdb\.d\/.+\.sql$/);
    const script = read('deploy/postgres/hasura.sql');
    const [, variable = ''] = /^\\getenv password (\w+)$/m.exec(script) ?? [];
    expect(Object.keys(service('postgres').environment)).toContain(variable);
    expect(decodeURIComponent(url.password)).toBe(`{${variable}}`);
  });

  test('names a version of each image, and lets it be replaced by one pinned by digest', () => {
    const images = Object.values(compose.services).flatMap(({ image, build }) =>
      image === undefined ? Object.values(build?.args ?? {}) : [image],
    );
    expect(images).toHaveLength(3);
    for (const image of images) {
      expect(image).toMatch(/^\$\{LATCHKEY_[A-Z]+_IMAGE:-[a-z/-]+:(?!latest)[\w.-]*\d[\w.-]*\}$/);
    }
    // Built by hand it is of the same image.
    const { NODE_IMAGE } = service('identity').build?.args ?? {};
    const dockerfile = read('services/identity/Dockerfile');
    expect(NODE_IMAGE).toContain(`:-${/^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1]}}`);
    const from = dockerfile.match(/^FROM \S+/gm) ?? [];
    expect(from.filter((line) => line !== `FROM $\{NODE_IMAGE}`)).toEqual([]);
  });

  test('the image holds each of our packages that the service imports, and nothing else of ours', () => {
    const manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
    const { dependencies } = manifest.parse(JSON.parse(read('services/identity/package.json')));
    const ours = Object.keys(dependencies).filter((name) => name.startsWith('@latchkey/'));
    const folders = [
      'services/identity',
      ...ours.map((name) => name.replace('@latchkey/', 'packages/')),
    ].sort();
    const copied = [
      ...read('services/identity/Dockerfile').matchAll(/^COPY ((?:packages|services)\/\S+) /gm),
    ].map(([, path]) => path);
    const manifests = folders.map((folder) => `${folder}/package.json`);
    expect(copied.sort()).toEqual([...folders, ...manifests].sort());
    // Docker is sent only what this lets through.
    const sent = read('.dockerignore').match(/^!(?:packages|services)\/\S+$/gm) ?? [];
    expect(sent.map((line) => line.slice(1)).sort()).toEqual(folders);
  });

  test('mounts only paths that exist, and only volumes that it declares', () => {
    for (const { volumes } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const source = volume.split(':')[0] ?? '';
        if (source.startsWith('.')) expect(existsSync(join(root, source)), source).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  test('waits for health, and what it waits for has a health check', () => {
    for (const { depends_on } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy');
        const { healthcheck, build } = service(name);
        const inDockerfile = build !== undefined && read(build.dockerfile).includes('\nHEALTHCHECK ');
        expect(healthcheck !== undefined || inDockerfile, name).toBe(true);
      }
    }
  });
});

describe('services/identity/Dockerfile', () => {
  const dockerfile = read('services/identity/Dockerfile');
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

  test('copies only what exists and what .dockerignore lets through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      (match) => match[1]?.split(' ') ?? [],
    );
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(
        allowed.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
        path,
      ).toBe(true);
    }
  });

  test('runs a file that exists, with production dependencies, not as root', () => {
    const command = /^CMD \["\.\/([^"]+)"\]$/m.exec(dockerfile)?.[1] ?? '';
    expect(command).toBe('services/identity/start');
    accessSync(join(root, command), constants.X_OK);
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(dockerfile).toMatch(/^USER node$/m);
  });
});
