// The TypeScript SDK v2 client of a person who answers: URL MODE HEADER VALUE TOOL
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, era, header, value, tool] = process.argv.slice(2);
const mode = era.startsWith('2') ? { pin: era } : era;
const asked = [];
const capabilities = { elicitation: { form: {} } };
const client = new Client({ name: 'torhaus-test-v2', version: '1' }, { versionNegotiation: { mode }, capabilities });
client.setRequestHandler('elicitation/create', async (request) => {
  asked.push(request.params.message);
  return { action: 'accept', content: { word: `w${asked.length}` } };
});
const requestInit = { headers: { [header]: value } };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
const result = await client.callTool({ name: tool, arguments: {} });
console.log(JSON.stringify({ asked, text: result.content[0].text, steps: [] }));
await client.close();
