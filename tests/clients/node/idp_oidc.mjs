// An OpenID provider on loopback: panva's oidc-provider, with a form that asks for name and password.
// PORT, REDIRECT_URI, LOGOUT_URI (back-channel, optional) come from the environment, and for what it
// says of people to others (SEP-990): PAIRS, JSON: "issuer resource" -> the client's id there;
// BARRED, whose name gets in nowhere; ID_TOKEN, seconds that one lasts. /_test tells what was asked.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { SignJWT, createLocalJWKSet, jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

const { PORT, REDIRECT_URI, LOGOUT_URI, PAIRS, BARRED, ID_TOKEN } = process.env;
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';
const asked = { exchanged: 0, refreshed: 0, of: {}, tokens: [] };
const issuer = `http://127.0.0.1:${PORT}`;
const users = JSON.parse(fs.readFileSync(new URL('./idp_users.json', import.meta.url)));
const bySubject = (sub) => Object.values(users).find((user) => user.sub === sub);
const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'torhaus',
    client_secret: 'torhaus-secret-of-the-tests',
    redirect_uris: [REDIRECT_URI],
    post_logout_redirect_uris: [new URL('/login', REDIRECT_URI).href],
    response_types: ['code'],
    grant_types: ['authorization_code', ...(PAIRS ? ['refresh_token', EXCHANGE] : [])],
    id_token_signed_response_alg: 'ES256',
    ...(LOGOUT_URI ? { backchannel_logout_uri: LOGOUT_URI } : {}),
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  findAccount: async (_, sub) => {
    const user = bySubject(sub);
    if (!user) return undefined;
    const { email, name, groups } = user;
    return { accountId: sub, claims: async () => ({ sub, email, email_verified: true, name, groups }) };
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // A company's provider does not ask whether its own gateway may know who somebody is.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: 'torhaus', accountId: oidc.session.accountId });
    grant.addOIDCScope(PAIRS ? 'openid email profile offline_access' : 'openid email profile');
    await grant.save();
    return grant;
  },
  ...(PAIRS ? { scopes: ['openid', 'offline_access'], issueRefreshToken: () => true, rotateRefreshToken: true } : {}),
  // Back-channel logout goes to a loopback address, which its own fetching would refuse.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  cookies: { keys: [crypto.randomBytes(16).toString('hex')] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: Number(ID_TOKEN || 600), RefreshToken: 3600, Interaction: 600, Session: 3600 },
});

// oidc-provider has no token exchange of its own. What is in the tokens is checked and signed by jose.
async function exchange(ctx) {
  const { audience, resource, scope, subject_token: token, subject_token_type: kind } = ctx.oidc.params;
  asked.exchanged += 1;
  if (ctx.oidc.params.requested_token_type !== `${TYPE}id-jag`) throw new errors.InvalidRequest('another token');
  if (kind !== `${TYPE}id_token`) throw new errors.InvalidRequest('another subject');
  let said;
  try {
    const keys = createLocalJWKSet({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] });
    said = (await jwtVerify(token, keys, { issuer, audience: ctx.oidc.client.clientId })).payload;
  } catch (error) {
    throw new errors.InvalidGrant(error.message);
  }
  asked.of[said.sub] = (asked.of[said.sub] ?? 0) + 1;
  asked.tokens.push(token);
  const there = JSON.parse(PAIRS)[`${audience} ${resource}`];
  if (!there) throw new errors.InvalidTarget();
  if (said.sub === BARRED) throw new errors.AccessDenied();
  const { email } = bySubject(said.sub);
  const assertion = await new SignJWT({ sub: said.sub, email, client_id: there, resource, scope })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'oauth-id-jag+jwt' })
    .setIssuer(issuer).setAudience(audience).setJti(crypto.randomUUID()).setIssuedAt().setExpirationTime('2m')
    .sign(privateKey);
  ctx.body = { access_token: assertion, issued_token_type: `${TYPE}id-jag`, token_type: 'N_A', expires_in: 120, scope };
}
if (PAIRS) {
  const parameters = [
    'audience', 'resource', 'scope', 'requested_token_type', 'subject_token', 'subject_token_type',
  ];
  provider.registerGrantType(EXCHANGE, exchange, parameters);
}
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'refresh_token') asked.refreshed += 1;
});
provider.on('backchannel.error', (_, error) => console.error('back-channel logout failed:', error));

const FORM = '<form method="post"><input name="login"><input name="password"><button>Sign in</button></form>';

async function interaction(request, response) {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html').end(FORM);
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const user = users[form.get('login')];
  if (!user || user.password !== form.get('password')) {
    response.writeHead(401).end('wrong');
    return;
  }
  await provider.interactionFinished(request, response, { login: { accountId: user.sub } });
}

const answer = provider.callback();
http.createServer((request, response) => {
  if (request.url === '/_test') return response.end(JSON.stringify(asked));
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  return interaction(request, response).catch((error) => response.writeHead(500).end(String(error)));
}).listen(Number(PORT), '127.0.0.1');
