// The TypeScript SDK v2 client: URL MODE HEADER VALUE TOOL ARGUMENTS, MODE legacy | auto | a modern revision
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, era, header, value, tool, args] = process.argv.slice(2);
const mode = /^\d/.test(era) ? { pin: era } : era;
const client = new Client({ name: 'torhaus-test-v2', version: '1' }, { versionNegotiation: { mode }, capabilities: {} });
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { [header]: value } } }));
const tools = (await client.listTools()).tools.map((each) => each.name);
const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
console.log(JSON.stringify({ tools, text: result.content[0].text, error: Boolean(result.isError) }));
await client.close();
