// The TypeScript SDK v1 client of a person who answers: URL MODE HEADER VALUE TOOL
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const [url, , header, value, tool] = process.argv.slice(2);
const asked = [];
const client = new Client({ name: 'torhaus-test-v1', version: '1' }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, async (request) => {
  asked.push(request.params.message);
  return { action: 'accept', content: { word: `w${asked.length}` } };
});
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { [header]: value } } });
await client.connect(transport);
const result = await client.callTool({ name: tool, arguments: {} });
console.log(JSON.stringify({ asked, text: result.content[0].text, steps: [] }));
await transport.terminateSession();
await client.close();
