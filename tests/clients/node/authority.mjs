// An authorization server for MCP servers: oidc-provider with registration, resource indicators,
// opaque access tokens that the server asks about, and rotated refresh tokens.
// env: PORT, RESOURCE (the server's URL), LASTS (seconds of an access token),
// BOUND (set: tokens are JWTs, bound to a key wherever a proof comes, which must have a nonce),
// CLIENTS (JSON: clients that are registered by hand),
// PLATFORM (JSON: the keys of a platform whose workloads get tokens with its JWTs, RFC 7523).
// The form of a sign-in takes any name: `login=alice`.
import http from 'node:http';
import crypto from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

const { PORT, RESOURCE, PLATFORM, BOUND } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const lasts = Number(process.env.LASTS || 600);
const format = BOUND ? 'jwt' : 'opaque';
const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
let refreshed = 0;
let reused = 0;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'the-server', client_secret: 'the-servers-secret-0123456789', grant_types: [],
    response_types: [], redirect_uris: [],
  }, ...JSON.parse(process.env.CLIENTS || '[]')],
  clientAuthMethods: [
    'none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt',
  ],
  scopes: ['openid', 'offline_access'],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }] },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: Boolean(BOUND), nonceSecret: crypto.randomBytes(32), requireNonce: () => true },
    registration: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => {
        if (resource !== RESOURCE) throw new Error(`not ours: ${resource}`);
        return {
          scope: 'notes', audience: resource, accessTokenFormat: format, accessTokenTTL: lasts,
          jwt: { sign: { alg: 'ES256' } },
        };
      },
      useGrantedResource: () => true,
    },
  },
  extraTokenClaims: (ctx) => (ctx?.state.workload ? { workload: ctx.state.workload } : undefined),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  clientDefaults: {
    grant_types: ['authorization_code', 'refresh_token'], id_token_signed_response_alg: 'ES256',
  },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: [crypto.randomBytes(16).toString('hex')] },
  ttl: { Session: 3600, Interaction: 600, Grant: 3600, RefreshToken: 3600, AuthorizationCode: 60 },
});
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'refresh_token') refreshed += 1;
});

const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

// oidc-provider has no such grant of its own; who made the JWT, for whom and until when is checked by jose.
async function workload(ctx) {
  const { assertion, resource, scope } = ctx.oidc.params;
  let said;
  try {
    const keys = createLocalJWKSet(JSON.parse(PLATFORM));
    said = (await jwtVerify(assertion, keys, { audience: issuer, requiredClaims: ['exp', 'sub'] })).payload;
  } catch (error) {
    throw new errors.InvalidGrant(error.message);
  }
  if (resource !== RESOURCE) throw new errors.InvalidTarget();
  const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope });
  ctx.state.workload = said.sub;
  token.resourceServer = new provider.ResourceServer(resource, { scope: 'notes', audience: resource, accessTokenFormat: 'opaque', accessTokenTTL: lasts });
  ctx.body = { access_token: await token.save(), expires_in: lasts, token_type: 'Bearer', scope };
}
if (PLATFORM) provider.registerGrantType(BEARER, workload, ['assertion', 'resource', 'scope']);
// A refresh token that comes twice: the provider ends the whole grant.
provider.on('grant.error', (ctx, error) => {
  if (error.error_detail && error.error_detail.includes('already used')) reused += 1;
});

const answer = provider.callback();
http.createServer(async (request, response) => {
  const path = new URL(request.url, issuer).pathname;
  if (path === '/_test/refreshed' || path === '/_test/reused') {
    response.end(String(path.endsWith('reused') ? reused : refreshed));
    return;
  }
  const found = path.match(/^\/interaction\/([\w-]+)$/);
  if (!found) {
    answer(request, response);
    return;
  }
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${path}"><input name="login"></form>`);
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const result = {};
  if (prompt.name === 'login') {
    result.login = { accountId: new URLSearchParams(body).get('login') };
  } else {
    const grant = new provider.Grant({ clientId: params.client_id, accountId: session.accountId });
    grant.addOIDCScope('openid offline_access');
    grant.addResourceScope(RESOURCE, 'notes');
    result.consent = { grantId: await grant.save() };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: prompt.name !== 'login' });
}).listen(Number(PORT), '127.0.0.1');
