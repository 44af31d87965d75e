import { createServer } from 'node:net';

/** The address everything on this machine listens on: nothing of it is meant for the network. */
export const LOOPBACK = '127.0.0.1';

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const port = await listen(0);
  if (port === undefined) throw new Error('No free port could be had on 127.0.0.1.');
  return port;
}

/** The wanted port where nobody listens on it, or else a free one. */
export async function preferPort(wanted: number): Promise<number> {
  return (await listen(wanted)) ?? (await freePort());
}

/** Whether nobody listens on a port of the loopback address. */
export async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
