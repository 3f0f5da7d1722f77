// A server of 2026-07-28 on stdio, on the TypeScript SDK v2, that refuses sessions.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

serveStdio(
  () => {
    const server = new McpServer({ name: 'stateless', version: '1' }, { capabilities: { tools: {} } });
    server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
      content: [{ type: 'text', text }],
    }));
    return server;
  },
  { legacy: 'reject' },
);
