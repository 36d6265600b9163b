// npm `oidc-provider` as it comes, with its in-memory adapter: what the issuer is measured against. It issues JWT access
// tokens (RFC 9068) and rotates refresh tokens, as the issuer does; nothing it does is durable.
//
// Arguments: port, algorithm of access tokens, number of refresh tokens. Prints them as one line of JSON when it listens.

import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, algorithm, count] = process.argv.slice(2);
const resource = 'https://api.example/fhir';
const issuer = `http://127.0.0.1:${port}`;

const jwk = (pair, alg) => ({ ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg });
const keys = [
  jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256'),
  jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256'),
];

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: [
    {
      client_id: 'service',
      client_secret: 'secret-of-the-service-0123456789abcdef',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'app',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example/callback'],
      token_endpoint_auth_method: 'none',
    },
  ],
  cookies: { keys: ['unused'] },
  scopes: ['offline_access'],
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'system/*.read patient/*.read',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
provider.on('server_error', (_, error) => console.error(error));

const client = await provider.Client.find('app');
const tokens = [];
for (let number = 0; number < Number(count); number += 1) {
  const grant = new provider.Grant({ accountId: 'person', clientId: 'app' });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(resource, 'patient/*.read');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: 'person',
    client,
    grantId,
    gty: 'authorization_code',
    resource,
    scope: 'offline_access patient/*.read',
    authTime: Math.floor(Date.now() / 1000),
  });
  tokens.push(await token.save());
}

provider.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({ refresh_tokens: tokens })));
