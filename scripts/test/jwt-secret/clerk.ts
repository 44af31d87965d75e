/** A publishable key, and the setting that comes of it. */
export const KEY = `pk_test_${Buffer.from('clerk.example.com$').toString('base64')}`;
export const SECRET = {
  jwk_url: 'https://clerk.example.com/.well-known/jwks.json',
  issuer: 'https://clerk.example.com',
  allowed_skew: 5,
};
