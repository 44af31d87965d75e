/**
 * cognito-local, in a process and a folder of its own: `node cognito-local.ts <port>`. As it comes it signs with
 * a key that is published with it, answers every web page, and leaves passwords in files that all users of
 * the machine can read.
 */
import { createPrivateKey } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { z } from 'zod';
import { LOOPBACK } from '#processes/ports.ts';
import { FOREIGN, isFromThisMachine } from '#stand-ins/core/loopback-only.ts';
import { keptSigningKey } from './signing-key.ts';

process.umask(0o077);

const { privateJwk, publicJwk } = await keptSigningKey('.');

const require = createRequire(import.meta.resolve('cognito-local/lib/bin/start.js'));
// Modules of JSON: what is changed in them before they are used is what is used.
Object.assign(require('../keys/cognitoLocal.private.json'), {
  pem: createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }),
});
Object.assign(require('../keys/cognitoLocal.public.json'), { jwk: publicJwk });

const SERVER = z.object({
  application: z.custom<RequestListener>((value) => typeof value === 'function'),
});
const { application } = SERVER.parse(await require('../server').createDefaultServer(require('pino')()));
createServer((request, response) => {
  if (isFromThisMachine(request.headers)) return application(request, response);
  response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(FOREIGN));
}).listen(Number(process.argv[2]), LOOPBACK);
