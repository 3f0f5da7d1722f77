// The TypeScript SDK v1 client, what most shipping clients embed: URL MODE HEADER VALUE TOOL ARGUMENTS
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, , header, value, tool, args] = process.argv.slice(2);
const client = new Client({ name: 'torhaus-test-v1', version: '1' }, { capabilities: {} });
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { [header]: value } } });
await client.connect(transport);
const tools = (await client.listTools()).tools.map((each) => each.name);
const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
console.log(JSON.stringify({ tools, text: result.content[0].text, error: Boolean(result.isError) }));
if (transport.sessionId) await transport.terminateSession();
await client.close();
