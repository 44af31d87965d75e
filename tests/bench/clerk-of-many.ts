/**
 * Clerk's Backend API with as many users as wanted, made up as they are asked for:
 * `node clerk-of-many.ts <users> <members>`, listening where LATCHKEY_PORT says. Each of the first
 * `members` users is in one of `members / 50` organizations. Prints nothing; `/healthz` tells that it is there.
 */
import { createServer } from 'node:http';

const [users = 0, members = 0] = process.argv.slice(2).map(Number);
const organizations = Math.ceil(members / 50);
const START = 1_767_225_600_000;

const id = (prefix: string, index: number) => `${prefix}_2bench${String(index).padStart(20, '0')}`;

function user(index: number): object {
  const at = START + index;
  return {
    id: id('user', index),
    object: 'user',
    username: `user${index}`,
    first_name: 'Ada',
    last_name: `Example ${index}`,
    image_url: 'https://img.clerk.com/eyJ0eXBlIjoiZGVmYXVsdCIsImlpZCI6Imluc18yZXhhbXBsZSJ9',
    has_image: false,
    primary_email_address_id: id('idn', index),
    primary_phone_number_id: null,
    email_addresses: [
      {
        id: id('idn', index),
        object: 'email_address',
        email_address: `user${index}@example.com`,
        reserved: false,
        verification: { object: 'verification_otp', status: 'verified', strategy: 'email_code', attempts: 1 },
        linked_to: [],
        created_at: at,
        updated_at: at,
      },
    ],
    phone_numbers: [],
    web3_wallets: [],
    external_accounts: [],
    password_enabled: true,
    two_factor_enabled: false,
    public_metadata: { plan: 'free', seats: index % 7 },
    private_metadata: {},
    unsafe_metadata: {},
    external_id: null,
    last_sign_in_at: at + 1000,
    last_active_at: at + 2000,
    banned: false,
    locked: false,
    created_at: at,
    updated_at: at,
  };
}

function organization(index: number): object {
  return {
    id: id('org', index),
    object: 'organization',
    name: `Org ${index}`,
    slug: `org-${index}`,
    image_url: 'https://img.clerk.com/org',
    public_metadata: {},
    created_at: START + index,
    updated_at: START + index,
  };
}

function membership(index: number): object {
  return {
    id: id('orgmem', index),
    object: 'organization_membership',
    role: index % 50 === 0 ? 'org:admin' : 'org:member',
    permissions: ['org:sys_memberships:read'],
    public_metadata: {},
    organization: organization(index % organizations),
    public_user_data: { user_id: id('user', index), identifier: `user${index}@example.com` },
    created_at: START + index,
    updated_at: START + index,
  };
}

const LISTS = {
  '/v1/users': { count: users, row: user, isBare: true },
  '/v1/organizations': { count: organizations, row: organization, isBare: false },
  '/v1/organization_memberships': { count: members, row: membership, isBare: false },
} as const;

function answer(path: string, query: URLSearchParams): unknown {
  if (path === '/v1/users/count') return { object: 'total_count', total_count: users };
  const list = Object.entries(LISTS).find(([name]) => name === path)?.[1];
  if (list === undefined) return { status: 'ok' };
  const from = Number(query.get('offset') ?? 0);
  const length = Math.max(0, Math.min(Number(query.get('limit') ?? 10), list.count - from));
  const data = Array.from({ length }, (_, index) => list.row(from + index));
  return list.isBare ? data : { data, total_count: list.count };
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://clerk');
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer(pathname, searchParams)));
});
server.listen(Number(process.env.LATCHKEY_PORT ?? 0), '127.0.0.1');
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
