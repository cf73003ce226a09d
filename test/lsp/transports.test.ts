// The other ways to talk to the server: the channel that VS Code uses, a pipe, a socket.

import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Json } from './client.ts';

const server = join(import.meta.dirname, 'fake-server.ts');
const uri = 'file:///x.snpscenario';
const textDocument = { uri, languageId: 'snpscenario', version: 1, text: 'problem A over another way' };
const initialize = { id: 1, method: 'initialize', params: { processId: process.pid, rootUri: null, capabilities: {} } };

test('the channel of a child process', async () => {
  const child = fork(server, ['--node-ipc'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  try {
    const received: Json[] = [];
    const next = async (matches: (message: Json) => boolean): Promise<Json> => {
      for (;;) {
        const found = received.find(matches);
        if (found) return found;
        await once(child, 'message');
      }
    };
    child.on('message', (message) => received.push(message));
    const send = (message: object) => child.send({ jsonrpc: '2.0', ...message });
    send({ id: 'early', method: 'shutdown' });
    assert.equal((await next(({ id }) => id === 'early')).error.code, -32002);
    send(initialize);
    await next(({ id }) => id === 1);
    send({ method: 'textDocument/didOpen', params: { textDocument } });
    const { params } = await next(({ method }) => method === 'textDocument/publishDiagnostics');
    assert.equal(params.diagnostics[0].message, 'over another way');
    child.disconnect();
    assert.deepEqual(await once(child, 'exit'), [1, null]);
  } finally {
    child.kill('SIGKILL');
  }
});

for (const way of ['pipe', 'socket'] as const) {
  test(`a ${way} that the client listens on`, async (t) => {
    if (way === 'pipe' && process.platform === 'win32') return t.skip('pipes have other names there');
    const folder = mkdtempSync(join(tmpdir(), 'snp-'));
    const listener = createServer();
    let child: ChildProcess | undefined;
    try {
      const path = join(folder, 'pipe');
      await new Promise<void>((listening) => {
        if (way === 'pipe') listener.listen(path, listening);
        else listener.listen(0, '127.0.0.1', listening);
      });
      const address = listener.address();
      const name = typeof address === 'string' ? address : String(address?.port);
      child = spawn(process.execPath, [server, `--${way}=${name}`], { stdio: ['ignore', 'ignore', 'inherit'] });
      const [socket] = (await once(listener, 'connection')) as [Socket];
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk;
      });
      const send = (message: object) => {
        const body = JSON.stringify({ jsonrpc: '2.0', ...message });
        socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      };
      send(initialize);
      send({ method: 'textDocument/didOpen', params: { textDocument } });
      while (!received.includes('over another way')) await once(socket, 'data');
      socket.destroy();
      assert.deepEqual(await once(child, 'exit'), [1, null]);
    } finally {
      child?.kill('SIGKILL');
      listener.close();
      rmSync(folder, { recursive: true });
    }
  });
}
