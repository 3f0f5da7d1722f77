// A TypeScript SDK client that signs in: VERSION (v1 | v2) URL TOOL ARGUMENTS. Prints the address to open, then, when
// the browser has come back, what it saw. It spoils its access token in between, so that it has to refresh.
import http from 'node:http';

const [version, url, tool, args] = process.argv.slice(2);
const sdk = version === 'v2' ? await import('@modelcontextprotocol/client') : {
  ...(await import('@modelcontextprotocol/sdk/client/index.js')),
  ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
};
const answers = [];
const server = http.createServer((request, response) => {
  response.end('You may close this window.');
  answers.shift()?.(new URL(request.url, 'http://localhost').searchParams);
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const redirectUrl = `http://127.0.0.1:${server.address().port}/mcp/oauth/callback`;

let registered, tokens, verifier;
const provider = {
  redirectUrl,
  clientMetadata: { client_name: `SDK ${version}`, redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
  state: () => 'some state',
  clientInformation: () => registered,
  saveClientInformation: (given) => { registered = given; },
  tokens: () => tokens,
  saveTokens: (given) => { tokens = given; },
  redirectToAuthorization: (address) => console.log(address.href),
  saveCodeVerifier: (given) => { verifier = given; },
  codeVerifier: () => verifier,
};
const fresh = () => new sdk.StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
const client = () => new sdk.Client({ name: `torhaus-test-${version}`, version: '1' }, { capabilities: {} });

const came = new Promise((done) => answers.push(done));
const first = fresh();
await client().connect(first).catch((error) => { if (error.constructor.name !== 'UnauthorizedError') throw error; });
const told = await came;
await first.finishAuth(version === 'v2' ? told : told.get('code'));
const before = tokens;
tokens = { ...tokens, access_token: 'spoilt' };
const second = client();
await second.connect(fresh());
const tools = (await second.listTools()).tools.map((each) => each.name);
const result = await second.callTool({ name: tool, arguments: JSON.parse(args) });
console.log(JSON.stringify({
  tools, text: result.content[0].text, error: Boolean(result.isError), iss: told.get('iss'),
  refreshed: tokens.refresh_token !== before.refresh_token, method: registered.token_endpoint_auth_method,
}));
await second.close();
server.close();
