// The tour with the TypeScript SDK v1: KIND MODE HEADER VALUE TARGETS, KIND v1 | v1-sse
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { travel } from './tour.mjs';

const [kind, , header, value, targets] = process.argv.slice(2);
const capabilities = { elicitation: {}, sampling: {}, roots: {} };

await travel(targets, async (url, ears) => {
  const client = new Client({ name: 'torhaus-test-v1', version: '1' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, ears.form);
  client.setRequestHandler(CreateMessageRequestSchema, ears.said);
  client.setRequestHandler(ListRootsRequestSchema, ears.roots);
  client.setNotificationHandler(LoggingMessageNotificationSchema, (each) => ears.logged.push(each.params.data));
  for (const schema of [ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema])
    client.setNotificationHandler(schema, (each) => ears.heard.push(each.method));
  const Transport = kind.endsWith('sse') ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(new URL(url), { requestInit: { headers: { [header]: value } } });
  await client.connect(transport);
  const leave = async () => {
    await transport.terminateSession?.();
    await client.close();
  };
  return { client, modern: false, options: (each) => [undefined, each], leave };
});
