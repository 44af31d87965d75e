import { expect, test } from 'vitest';
import { checkSession, type SessionOwner, type StoredUser } from '#core/session-check.ts';

const session: SessionOwner = { provider: 'casdoor', tenant: 'acme', issuedAt: 5_000 };
const row: StoredUser = {
  provider: 'casdoor',
  tenant: 'acme',
  deletedAt: null,
  disabledAt: null,
  tokensValidFrom: null,
};

test.each<[string, Partial<SessionOwner>, Partial<StoredUser>]>([
  ['of its own row', {}, {}],
  ['that does not tell its tenant', { tenant: '' }, {}],
  ['of a row whose tenant is not known yet', {}, { tenant: '' }],
  ['issued when the sessions were ended, to the millisecond', {}, { tokensValidFrom: 5_000 }],
  ['that does not say when it was issued, where none were ended', { issuedAt: undefined }, {}],
])('a session %s is good', (_what, ofSession, ofRow) => {
  expect(checkSession({ ...session, ...ofSession }, { ...row, ...ofRow })).toBeUndefined();
});

test.each<[string, string, Partial<SessionOwner>, Partial<StoredUser>]>([
  ['of another provider', 'another', { provider: 'clerk' }, {}],
  [
    'of another provider, neither with a tenant',
    'another',
    { provider: 'clerk', tenant: '' },
    { tenant: '' },
  ],
  ['of another tenant', 'another', { tenant: 'beta' }, {}],
  ['of a tenant in other letters', 'another', { tenant: 'Acme' }, {}],
  ['of a row that may be several people’s', 'another', {}, { tenant: '?' }],
  ['of no tenant, and a row that may be several people’s', 'another', { tenant: '' }, { tenant: '?' }],
  [
    'of a tenant called ?, and a row that may be several people’s',
    'another',
    { tenant: '?' },
    { tenant: '?' },
  ],
  ['of a deleted user', 'deleted', {}, { deletedAt: 1 }],
  ['of a user disabled at the epoch', 'disabled', {}, { disabledAt: 0 }],
  ['issued a millisecond too early', 'revoked', {}, { tokensValidFrom: 5_001 }],
  ['issued nobody knows when', 'revoked', { issuedAt: undefined }, { tokensValidFrom: 1 }],
  // Whose it is comes first: to others a row tells nothing.
  ['of another tenant and a deleted user', 'another', { tenant: 'beta' }, { deletedAt: 1, disabledAt: 1 }],
])('a session %s is refused as %s', (_what, kind, ofSession, ofRow) => {
  expect(checkSession({ ...session, ...ofSession }, { ...row, ...ofRow })).toMatchObject({ kind });
});
