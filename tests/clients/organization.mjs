// npm oidc-provider, a certified OpenID Provider, as the identity provider of an organization whose people sign in at Wardgate.

import Provider from 'oidc-provider';

// The provider says there that its pages and keys are for development; standard output is for JSON.
console.info = console.warn = console.error;

/** A provider on this port that knows the issuer `wardgate` by `secret`, and whose people are whoever they say they are. */
export async function organization(port, wardgate, secret) {
  const issuer = `http://localhost:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'wardgate',
        client_secret: secret,
        redirect_uris: [`${wardgate}/login/sso/callback`],
        post_logout_redirect_uris: [`${wardgate}/logout`],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    async findAccount(_, id) {
      const claims = { sub: id, email: id, email_verified: !id.startsWith('unverified'), name: `${id} there` };
      return { accountId: id, claims: async () => claims };
    },
  });
  const server = provider.listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { issuer, close };
}
