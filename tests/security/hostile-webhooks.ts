import { createHmac, randomBytes } from 'node:crypto';

/** A request that must not get in. `status` says how it is refused. */
export type HostileRequest = {
  what: string;
  path: string;
  method?: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
  status: number;
};

/** How a sender of Standard Webhooks or Svix signs. */
export type Scheme = {
  path: string;
  /** `svix` or `webhook`: what its headers begin with. */
  prefix: string;
  /** `whsec_…`, the right one. */
  secret: string;
  body: string;
};

const now = () => Math.floor(Date.now() / 1000);
const strangers = `whsec_${randomBytes(32).toString('base64')}`;

function signature(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** A request that must get in: the control of all that follow. */
export function goodWebhook({ path, prefix, secret, body }: Scheme, id: string): HostileRequest {
  const timestamp = String(now());
  const headers = [
    [`${prefix}-id`, id],
    [`${prefix}-timestamp`, timestamp],
    [`${prefix}-signature`, signature(secret, id, timestamp, body)],
    ['content-type', 'application/json'],
  ] as const;
  return { what: 'a good one', path, headers, body, status: 200 };
}

/** Deliveries that claim to be signed. Those that are, with the right secret, are stale or for another request. */
export function hostileSignedWebhooks(scheme: Scheme): HostileRequest[] {
  const { path, prefix, secret, body } = scheme;
  const id = 'msg_forged';
  const right = String(now());
  const list: HostileRequest[] = [];
  type Change = {
    id?: string | undefined;
    timestamp?: string | undefined;
    signature?: string | undefined;
    body?: string;
  };
  const add = (what: string, change: Change, more: [string, string][] = [], status = 401) => {
    const values = { id, timestamp: right, signature: signature(secret, id, right, body), ...change };
    const headers = [
      [`${prefix}-id`, values.id],
      [`${prefix}-timestamp`, values.timestamp],
      [`${prefix}-signature`, values.signature],
    ].flatMap(([name = '', value]) => (value === undefined ? [] : [[name, value] as const]));
    list.push({
      what: `${path}: ${what}`,
      path,
      headers: [...headers, ['content-type', 'application/json'], ...more],
      body: change.body ?? body,
      status,
    });
  };

  for (const part of ['id', 'timestamp', 'signature'] as const) {
    add(`no ${part}`, { [part]: undefined });
    add(`an empty ${part}`, { [part]: '' });
  }
  add('nothing but the body', { id: undefined, timestamp: undefined, signature: undefined });

  const digest = signature(secret, id, right, body).slice('v1,'.length);
  const raw = Buffer.from(digest, 'base64');
  for (const [what, forged] of [
    ['a stranger’s', signature(strangers, id, right, body)],
    ['one by an empty secret', signature('whsec_', id, right, body)],
    [
      'one by the secret’s text instead of its bytes',
      `v1,${createHmac('sha256', secret).update(`${id}.${right}.${body}`).digest('base64')}`,
    ],
    [
      'of the body alone',
      `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
        .update(body)
        .digest('base64')}`,
    ],
    ['of no version', digest],
    ['of another version', `v2,${digest}`],
    ['of version 1a', `v1a,${digest}`],
    ['of version V1', `V1,${digest}`],
    ['in hexadecimal', `v1,${raw.toString('hex')}`],
    ['cut off', `v1,${raw.subarray(0, 16).toString('base64')}`],
    ['of one byte', `v1,${raw.subarray(0, 1).toString('base64')}`],
    ['of no bytes', 'v1,'],
    ['extended', `v1,${Buffer.concat([raw, Buffer.from([0])]).toString('base64')}`],
    [
      'changed in one bit',
      `v1,${Buffer.from(raw.map((byte, at) => (at === 0 ? byte ^ 1 : byte))).toString('base64')}`,
    ],
    ['of zeros', `v1,${Buffer.alloc(32).toString('base64')}`],
    ['separated otherwise', `v1=${digest}`],
    [
      'a hundred guesses',
      Array.from({ length: 100 }, () => `v1,${randomBytes(32).toString('base64')}`).join(' '),
    ],
    ['words', 'true'],
    ['a star', '*'],
    ['the secret itself', secret],
    ['of another message', signature(secret, 'msg_other', right, body)],
    ['of another moment', signature(secret, id, String(now() - 10), body)],
    ['of another body', signature(secret, id, right, `${body} `)],
    ['of no body', signature(secret, id, right, '')],
  ] as const) {
    add(`a signature ${what}`, { signature: forged });
  }

  for (const [what, timestamp] of [
    ['of five minutes and a second ago', String(now() - 302)],
    ['of yesterday', String(now() - 86_400)],
    ['in the future', String(now() + 320)],
    ['in milliseconds', String(Date.now())],
    ['negative', String(-now())],
    ['zero', '0'],
    ['no number', 'now'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['a date', new Date().toISOString()],
  ] as const) {
    add(`a rightly signed timestamp: ${what}`, {
      timestamp,
      signature: signature(secret, id, timestamp, body),
    });
  }

  for (const [what, changed] of [
    ['with a space more', `${body} `],
    ['with a byte order mark', `\uFEFF${body}`],
    ['cut off', body.slice(0, -2)],
    ['twice', body + body],
    ['another', '{"type":"user.deleted","data":{"id":"user_1","deleted":true}}'],
    ['empty', ''],
    ['written otherwise', JSON.stringify(JSON.parse(body), null, 3)],
  ] as const) {
    add(`the body ${what}`, { body: changed });
  }
  const long = 'x'.repeat(256);
  add('an id that is too long for the ledger', { id: long, signature: signature(secret, long, right, body) });

  for (const header of [
    ['x-hasura-admin-secret', 'guess'],
    ['x-hasura-role', 'admin'],
    ['authorization', `Bearer ${secret}`],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-http-method-override', 'PUT'],
    ['x-original-url', '/healthz'],
    ['content-encoding', 'identity'],
  ] as [string, string][]) {
    add(`a forged one with ${header[0]}`, { signature: signature(strangers, id, right, body) }, [header]);
  }

  const large = JSON.stringify({ type: 'user.created', data: { id: 'x'.repeat(1024 * 1024) } });
  add(
    'too large, though rightly signed',
    { body: large, signature: signature(secret, id, right, large) },
    [],
    413,
  );
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    list.push({ ...goodWebhook(scheme, id), what: `${path}: by ${method}`, method, status: 404 });
  }
  for (const other of [`${path}/`, path.toUpperCase(), `/${path}`, `${path}/../okta`, `${path}%00`]) {
    list.push({ ...goodWebhook(scheme, id), what: `to ${other}`, path: other, status: 404 });
  }
  return list;
}

/** Deliveries that claim to know Casdoor's secret. */
export function hostileCasdoorWebhooks({
  path,
  header,
  secret,
  body,
}: {
  path: string;
  header: string;
  secret: string;
  body: string;
}): HostileRequest[] {
  const json = ['content-type', 'application/json'] as const;
  const guesses: Record<string, string> = {
    'an empty one': '',
    'a stranger’s': randomBytes(32).toString('hex'),
    'its beginning': secret.slice(0, -1),
    'its end': secret.slice(1),
    'more than it': `${secret}0`,
    'it twice': secret + secret,
    'it in upper case': secret.toUpperCase(),
    'it with a comma': `${secret},`,
    'it and another': `${secret}, guess`,
    'it in quotes': `"${secret}"`,
    'it after Bearer': `Bearer ${secret}`,
    'it in base64': Buffer.from(secret).toString('base64'),
    'it percent-encoded': secret.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`),
    'its name': 'CASDOOR_WEBHOOK_SECRET',
    'a wildcard': '*',
    'a word of JavaScript': 'undefined',
    'another word': 'null',
    'a truth': 'true',
    zeros: '0'.repeat(secret.length),
  };
  const list: HostileRequest[] = Object.entries(guesses).map(([what, guess]) => ({
    what: `${path}: the header holds ${what}`,
    path,
    headers: [json, [header, guess]],
    body,
    status: 401,
  }));
  const elsewhere: [string, readonly (readonly [string, string])[], string, string][] = [
    ['no header', [json], path, body],
    ['it in another header', [json, ['x-secret', secret]], path, body],
    ['it in Authorization', [json, ['authorization', secret]], path, body],
    ['it in a cookie', [json, ['cookie', `${header}=${secret}`]], path, body],
    ['it in the query', [json], `${path}?${header}=${secret}`, body],
    ['it in the body', [json], path, JSON.stringify({ ...JSON.parse(body), [header]: secret })],
    ['the header twice, one wrong', [json, [header, secret], [header, 'guess']], path, body],
  ];
  for (const [what, headers, to, sent] of elsewhere) {
    list.push({ what: `${path}: ${what}`, path: to, headers, body: sent, status: 401 });
  }
  const large = JSON.stringify({ ...JSON.parse(body), object: 'x'.repeat(1024 * 1024) });
  list.push({
    what: `${path}: too large`,
    path,
    headers: [json, [header, secret]],
    body: large,
    status: 413,
  });
  for (const method of ['GET', 'PUT', 'DELETE']) {
    list.push({
      what: `${path}: by ${method}`,
      path,
      method,
      headers: [[header, secret]],
      body: '',
      status: 404,
    });
  }
  return list;
}
