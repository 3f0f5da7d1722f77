// An MCP server that takes tokens with proofs of possession only, checked by panva's oauth4webapi,
// over streamable HTTP (/mcp) and HTTP+SSE (/sse). Its nonce changes every few requests.
// env: PORT, ISSUER. /_test tells what it has seen.
import crypto from 'node:crypto';
import express from 'express';
import * as oauth from 'oauth4webapi';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const { PORT, ISSUER } = process.env;
const here = `http://127.0.0.1:${PORT}`;
const authority = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
const EACH = 7;
const seen = { good: 0, bare: 0, nonce: 0, replayed: 0, wrong: [], methods: {}, keys: [] };
const ids = new Set();
let [nonce, former] = [crypto.randomUUID(), ''];

const part = (token, number) => JSON.parse(Buffer.from(token.split('.')[number], 'base64url'));

async function amiss(request) {
  if (!request.headers.authorization) { seen.bare += 1; return ''; }
  const headers = new Headers(Object.entries(request.headers).filter(([, value]) => typeof value === 'string'));
  const asked = new Request(here + request.originalUrl, { method: request.method, headers });
  let claims;
  try {
    claims = await oauth.validateJwtAccessToken(authority, asked, here, {
      requireDPoP: true, [oauth.allowInsecureRequests]: true,
    });
  } catch (error) {
    seen.wrong.push(`${request.method} ${request.originalUrl}: ${error.message} ${error.cause?.message ?? ''}`);
    return 'invalid_token';
  }
  const proof = part(headers.get('dpop'), 1);
  if (ids.has(proof.jti)) { seen.replayed += 1; return 'invalid_dpop_proof'; }
  ids.add(proof.jti);
  if (![nonce, former].includes(proof.nonce)) { seen.nonce += 1; return 'use_dpop_nonce'; }
  seen.good += 1;
  seen.methods[request.method] = (seen.methods[request.method] ?? 0) + 1;
  if (!seen.keys.includes(claims.cnf.jkt)) seen.keys.push(claims.cnf.jkt);
  if (seen.good % EACH === 0) [nonce, former] = [crypto.randomUUID(), nonce];
  request.who = claims.sub ?? claims.client_id;
  return null;
}

async function guard(request, response, next) {
  const error = await amiss(request);
  if (error === null) { next(); return; }
  const about = `resource_metadata="${here}/.well-known/oauth-protected-resource"`;
  response.status(401).set('DPoP-Nonce', nonce);
  response.set('WWW-Authenticate', `DPoP algs="ES256"${error ? `, error="${error}"` : ''}, ${about}`);
  response.json({ error: error || 'unauthorized' });
}

function server(request) {
  const made = new McpServer({ name: 'bound', version: '1' });
  made.registerTool('who', { description: 'Tell who asks.' }, () => ({
    content: [{ type: 'text', text: `${request.who}` }],
  }));
  return made;
}

const app = express();
const sessions = new Map();
const old = new Map();
app.get('/.well-known/oauth-protected-resource', (_, response) => {
  response.json({ resource: here, authorization_servers: [ISSUER], scopes_supported: ['notes'] });
});
app.get('/_test', (_, response) => response.json(seen));
app.all('/mcp', guard, express.json(), async (request, response) => {
  let transport = sessions.get(request.headers['mcp-session-id']);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await server(request).connect(transport);
  }
  await transport.handleRequest(request, response, request.body);
});
app.get('/sse', guard, async (request, response) => {
  const transport = new SSEServerTransport('/messages', response);
  old.set(transport.sessionId, transport);
  await server(request).connect(transport);
});
app.post('/messages', guard, express.json(), async (request, response) => {
  await old.get(request.query.sessionId).handlePostMessage(request, response, request.body);
});
app.listen(Number(PORT), '127.0.0.1');
