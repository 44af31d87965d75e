import { hookSettings } from '@latchkey/core/engine-settings';
import { freePort } from '@latchkey/local/processes/ports';
import { linkEnvironment } from '@latchkey/local/programs/engine';
import { GenericContainer, Network, TestContainers, Wait } from 'testcontainers';
import type { EngineSettings, TestEngine } from './test-engine.ts';

const ENGINE_IMAGE = 'hasura/graphql-engine:v2.48.16';
const POSTGRES_IMAGE = 'postgres:17';

/** The real images: an engine and a database of their own, which reach our ports on this host. */
export async function dockerEngine({
  adminSecret,
  jwtSecret,
  authHook,
  port: wantedPort,
  service = { url: 'http://127.0.0.1:9', actionSecret: adminSecret },
  env,
}: EngineSettings): Promise<TestEngine> {
  const [keys, handler] = [new URL(jwtSecret?.jwk_url ?? service.url), new URL(service.url)];
  await TestContainers.exposeHostPorts(Number(keys.port), Number(handler.port));
  for (const url of [keys, handler]) url.hostname = 'host.testcontainers.internal';

  const network = await new Network().start();
  const postgres = await new GenericContainer(POSTGRES_IMAGE)
    .withNetwork(network)
    .withNetworkAliases('postgres')
    .withEnvironment({ POSTGRES_PASSWORD: adminSecret })
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start();
  // A port of ours, not Docker's choice, so that the engine is found again after a restart.
  const port = wantedPort ?? (await freePort());
  const definition = new GenericContainer(ENGINE_IMAGE)
    .withNetwork(network)
    .withExposedPorts({ container: 8080, host: port })
    .withEnvironment({
      HASURA_GRAPHQL_DATABASE_URL: `postgres://postgres:${adminSecret}@postgres:5432/postgres`,
      HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
      ...(jwtSecret && { HASURA_GRAPHQL_JWT_SECRET: JSON.stringify({ ...jwtSecret, jwk_url: keys.href }) }),
      ...(authHook === true && hookSettings(handler.origin)),
      HASURA_GRAPHQL_ENABLE_TELEMETRY: 'false',
      ...linkEnvironment({ ...service, url: handler.origin }),
      ...env,
    })
    .withWaitStrategy(Wait.forHttp('/healthz', 8080).withStartupTimeout(120_000));

  let container = await definition.start();
  return {
    url: `http://127.0.0.1:${port}`,
    description: `${ENGINE_IMAGE} on ${POSTGRES_IMAGE}`,
    async stop() {
      await container.stop();
    },
    async start() {
      container = await definition.start();
    },
    async close() {
      await container.stop().catch(() => {});
      await postgres.stop();
      await network.stop();
    },
  };
}
