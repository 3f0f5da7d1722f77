// The tour with the TypeScript SDK v2: KIND MODE HEADER VALUE TARGETS, KIND v2 | v2-sse
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { travel } from './tour.mjs';

const [kind, era, header, value, targets] = process.argv.slice(2);
const mode = /^\d/.test(era) ? { pin: era } : era;
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };

await travel(targets, async (url, ears) => {
  const client = new Client({ name: 'torhaus-test-v2', version: '1' }, { versionNegotiation: { mode }, capabilities });
  client.setRequestHandler('elicitation/create', ears.form);
  client.setRequestHandler('sampling/createMessage', ears.said);
  client.setRequestHandler('roots/list', ears.roots);
  client.setNotificationHandler('notifications/message', (each) => ears.logged.push(each.params.data));
  for (const method of ['notifications/resources/updated', 'notifications/tools/list_changed'])
    client.setNotificationHandler(method, (each) => ears.heard.push(each.method));
  const Transport = kind.endsWith('sse') ? SSEClientTransport : StreamableHTTPClientTransport;
  await client.connect(new Transport(new URL(url), { requestInit: { headers: { [header]: value } } }));
  const modern = client.getProtocolEra() === 'modern';
  return { client, modern, options: (each) => [each], leave: () => client.close() };
});
