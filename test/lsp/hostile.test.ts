// Traffic that no editor should send. After each of it the server still answers, with the verdict on the text as it is.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { Client, fakeServer, type Json, killLeftovers } from './client.ts';

let client: Client;
const a = 'file:///hostile/a.snpscenario';

// One server lives through as much of it as it can.
beforeEach(async () => {
  if (client?.isRunning) client.close(a);
  else {
    client = new Client(fakeServer);
    await client.initialize();
  }
  client.open(a, 'problem A first\nproblem B second\n');
  await client.diagnostics(a, 1);
});
afterEach(async (test) => {
  if (!(test as { passed?: boolean }).passed) await killLeftovers();
});
after(killLeftovers);

/** The server still takes an edit and has the right verdict on it. */
async function stillAnswers(): Promise<void> {
  const version = 1_000_000 + client.transcript.length;
  client.replace(a, version, `problem STILL here ${version}`);
  const [diagnostic, ...more] = await client.diagnostics(a, version);
  assert.equal(diagnostic!.message, `here ${version}`);
  assert.deepEqual(more, []);
}

const frame = (body: string, length = Buffer.byteLength(body)) => `Content-Length: ${length}\r\n\r\n${body}`;
const isError = (code: number) => (message: Json) => message.error?.code === code;

describe('framing', () => {
  const junk: Record<string, string | Buffer> = {
    'a header without a length': 'Content-Type: text/plain\r\n\r\n',
    'no header at all': 'hello, are you there?\r\n\r\n',
    'a negative length': 'Content-Length: -5\r\n\r\n',
    'a length of minus one': 'Content-Length: -1\r\n\r\n',
    'a length that is no number': 'Content-Length: many\r\n\r\n',
    'an absurd length': 'Content-Length: 99999999999999999999\r\n\r\n{}',
    'a length in two minds': 'Content-Length: 5\r\nContent-Length: 12 or so\r\n\r\n',
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0, 1, 2, 3, 13, 10, 13, 10]),
    'an empty header': '\r\n\r\n\r\n\r\n',
    'a hundred kilobytes of nothing': 'x'.repeat(100_000),
    'an empty body': frame(''),
    'JSON cut short': frame('{"jsonrpc":"2.0","method":"x"'),
    'no JSON': frame('not json'),
    'invalid UTF-8': Buffer.concat([Buffer.from('Content-Length: 4\r\n\r\n'), Buffer.from([0x22, 0xff, 0xfe, 0x22])]),
    'a length too small': frame('{"jsonrpc":"2.0","method":"snpScenario/x","params":{}}', 20),
  };
  for (const [what, bytes] of Object.entries(junk)) {
    test(what, async () => {
      client.raw(bytes);
      await stillAnswers();
    });
  }

  test('a length too large costs the message that it swallows, no more', async () => {
    const body = '{"jsonrpc":"2.0","method":"snpScenario/x"}';
    const error = client.next(isError(-32700));
    client.raw(frame(body, body.length + 10));
    client.notify('snpScenario/swallowed', {});
    client.notify('snpScenario/perhaps swallowed', {});
    await error;
    await stillAnswers();
  });

  test('no JSON is answered as JSON-RPC says', async () => {
    const error = client.next(isError(-32700));
    client.raw(frame('{"jsonrpc":'));
    assert.equal((await error).id, null);
  });

  test('a byte at a time', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'slow', method: 'snpScenario/ü', params: {} });
    const answer = client.next(({ id }) => id === 'slow');
    for (const byte of Buffer.from(frame(body))) {
      client.raw(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    assert.equal((await answer).error?.code, -32601);
  });
});

describe('messages', () => {
  test('that are no requests', async () => {
    const odd = ['null', '42', '"text"', '[]', '[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]', '{}', '{"id":{}}'];
    for (const body of [...odd, '{"method":42,"id":7}', '{"method":"x","id":true}']) {
      const error = client.next(isError(-32600));
      client.raw(frame(body));
      await error;
    }
    await stillAnswers();
  });

  test('that answer what was never asked', async () => {
    client.raw(frame('{"jsonrpc":"2.0","id":999,"result":null}'));
    client.raw(frame('{"jsonrpc":"2.0","id":null,"result":1}'));
    client.raw(frame('{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"m"}}'));
    client.raw(frame('{"jsonrpc":"2.0","id":5,"error":17}'));
    client.raw(frame('{"jsonrpc":"2.0","id":5}'));
    await stillAnswers();
  });

  test('of unknown methods: a request is refused, a notification is ignored', async () => {
    assert.equal((await client.ask('textDocument/teleport', { textDocument: { uri: a } })).error?.code, -32601);
    assert.equal((await client.ask('__proto__', {})).error?.code, -32601);
    client.notify('textDocument/didTeleport', {});
    client.notify('$/whatever', { x: 1 });
    client.notify('constructor');
    await stillAnswers();
  });

  test('with parameters of wrong types', async () => {
    const wrong: Json[] = [
      undefined,
      null,
      [],
      [1, 2, 3],
      {},
      { textDocument: null },
      { textDocument: 7 },
      { textDocument: {} },
      { textDocument: { uri: 7, version: 1, text: 'x', languageId: 'snpscenario' } },
      { textDocument: { uri: a, version: 'x', text: 7, languageId: {} } },
      { textDocument: { uri: a, version: 2 }, contentChanges: null },
      { textDocument: { uri: a, version: 2 }, contentChanges: 'text' },
      { textDocument: { uri: a, version: 2 }, contentChanges: [null, 1, {}, { text: 7 }] },
      { textDocument: { uri: a, version: 2 }, contentChanges: [{ text: 'x', range: {} }] },
      { textDocument: { uri: a, version: 2 }, contentChanges: [{ text: 'x', range: { start: 1, end: 'a' } }] },
      { textDocument: { uri: a, version: null }, contentChanges: [{ text: 'problem NO version' }] },
      { changes: 'all' },
      { changes: [null, 1, { uri: 7 }, { uri: 'file:///%', type: 'x' }] },
      { settings: 7 },
      { settings: { snpScenario: [] } },
      { value: 17 },
      { id: {} },
    ];
    const notifications = ['didOpen', 'didChange', 'didSave', 'willSave'].map((name) => `textDocument/${name}`);
    notifications.push('workspace/didChangeWatchedFiles', 'workspace/didChangeConfiguration', '$/cancelRequest');
    notifications.push('$/setTrace', 'window/workDoneProgress/cancel', '$/progress');
    for (const method of notifications) for (const params of wrong) client.notify(method, params);
    for (const params of wrong.slice(0, 9)) client.notify('textDocument/didClose', params);
    const requests = ['textDocument/diagnostic', 'snpScenario/modelSource', 'workspace/textDocumentContent'];
    for (const method of requests) {
      for (const params of wrong) assert.ok(await client.ask(method, params));
    }
    await stillAnswers();
  });

  test('whose params are no structure', async () => {
    const error = client.next(({ id }) => id === 'p');
    client.raw(frame('{"jsonrpc":"2.0","id":"p","method":"textDocument/diagnostic","params":7}'));
    assert.equal((await error).error?.code, -32602);
    client.raw(frame('{"jsonrpc":"2.0","method":"textDocument/didChange","params":"x"}'));
    await stillAnswers();
  });

  test('before and after their time', async () => {
    const second = await client.ask('initialize', { capabilities: {} });
    assert.equal(second.error?.code, -32600);
    const early = new Client(fakeServer);
    assert.equal((await early.ask('textDocument/diagnostic', { textDocument: { uri: a } })).error?.code, -32002);
    early.open(a, 'problem EARLY x');
    assert.equal((await early.ask('initialize', 7)).error?.code, -32602);
    assert.equal((await early.ask('initialize')).error?.code, -32602);
    for (const capabilities of [undefined, null, 7, { textDocument: 7, workspace: null, window: 'x' }]) {
      const odd = new Client(fakeServer);
      await odd.initialize(capabilities, { workspaceFolders: 7, rootUri: 7, initializationOptions: 'x', trace: 7 });
      odd.open(a, 'problem ODD x');
      assert.equal((await odd.diagnostics(a, 1)).length, 1);
      assert.equal(await odd.shutdown(), 0);
    }
    await early.initialize();
    await early.request('shutdown');
    assert.equal((await early.ask('textDocument/diagnostic', { textDocument: { uri: a } })).error?.code, -32600);
    early.open(a, 'problem LATE x');
    early.notify('exit');
    assert.equal((await early.exited).code, 0);
    assert.deepEqual(early.published(a), []);
    await stillAnswers();
  });
});

describe('documents', () => {
  test('edits out of range are moved to the nearest place', async () => {
    const edits: [number, number, number, number, string][] = [
      [1e9, 0, 1e9 + 1, 0, 'problem C end\n'], // at the end
      [0, 1e9, 0, 1e9, ' one'], // at the end of the first line
      [-5, -5, -1, -1, '// '], // at the beginning
      [1, 16, 1, 0, 'problem R reversed'], // the second line, backwards
      [0, 0.5, 0, 0.5, ''],
      [Number.MAX_SAFE_INTEGER, 1, 0, 1e300, ''], // from the end back to the end of the first line
    ];
    for (const [line, character, endLine, endCharacter, text] of edits) {
      const range = { start: { line, character }, end: { line: endLine, character: endCharacter } };
      client.notify('textDocument/didChange', {
        textDocument: { uri: a, version: 2 },
        contentChanges: [{ range, text }],
      });
    }
    client.edit(a, 9, 0, 0, 3, ''); // take the slashes away again
    const messages = (await client.diagnostics(a, 9)).map(({ message }) => message);
    assert.deepEqual(messages, ['first one']);
    await stillAnswers();
  });

  test('several changes in one message mean the text that those before them left', async () => {
    const range = (line: number, from: number, to: number) => ({
      start: { line, character: from },
      end: { line, character: to },
    });
    const contentChanges = [
      { range: range(0, 0, 15), text: '' },
      { range: range(0, 0, 0), text: 'problem X one\r' },
      { range: range(1, 0, 0), text: 'problem Y \n' },
      { range: range(1, 10, 10), text: 'two' },
    ];
    client.notify('textDocument/didChange', { textDocument: { uri: a, version: 5 }, contentChanges });
    const found = (await client.diagnostics(a, 5)).map(({ range: { start }, message }) => `${start.line} ${message}`);
    assert.deepEqual(found, ['0 one', '1 two', '2 second']);
  });

  test('changes and closings of documents that are not open are ignored, opening twice replaces', async () => {
    client.replace('file:///hostile/never.snpscenario', 2, 'problem X x');
    client.close('file:///hostile/never.snpscenario');
    client.open(a, 'problem TWICE open', 'snpscenario', 77);
    assert.equal((await client.diagnostics(a, 77))[0]!.message, 'open');
    client.open(a, 'problem TWICE as another language', 'c', 78);
    client.close(a);
    client.close(a);
    client.open(a, '');
    assert.deepEqual(await client.diagnostics(a, 1), []);
    await stillAnswers();
  });

  test('a document is opened and closed a thousand times', async () => {
    const b = 'file:///hostile/b.snpscenario';
    for (let turn = 0; turn < 1000; turn++) {
      client.open(b, `problem TURN ${turn}\nin sev.c 0 X ${turn}`);
      client.close(b);
    }
    await stillAnswers();
    assert.deepEqual(client.published(b).at(-1)?.diagnostics ?? [], []);
    assert.deepEqual(client.published('file:///hostile/sev.c').at(-1)?.diagnostics ?? [], []);
  });

  test('a thousand documents are open', async () => {
    const last = client.diagnostics('file:///hostile/999.snpscenario', 1);
    for (let turn = 0; turn < 1000; turn++) client.open(`file:///hostile/${turn}.snpscenario`, `problem TURN ${turn}`);
    assert.equal((await last)[0]!.message, '999');
    await stillAnswers();
  });

  test('a document is enormous', async () => {
    const b = 'file:///hostile/b.snpscenario';
    client.open(b, 'x'.repeat(33 * 1024 * 1024));
    assert.equal((await client.diagnostics(b, 1))[0]!.code, 'TOO-LONG');
    client.replace(b, 2, '\n'.repeat(1_000_000));
    assert.deepEqual(await client.diagnostics(b, 2), []);
    await stillAnswers();
  });

  test('URIs of every kind', async () => {
    const odd = [
      '',
      'a',
      ':',
      'file:',
      'file:///',
      'file:///%',
      'file:///%ff',
      'file://host/x',
      'http://[',
      'x:\ud800',
      '\0',
    ];
    for (const name of odd) {
      const verdict = client.diagnostics(name, 1);
      client.open(name, 'problem X x\nuse ../../../../sev.c\nuse C:\\x.c\nin model:../../x 0 Y y\nuse \ud800');
      assert.equal((await verdict)[0]!.message, 'x', JSON.stringify(name));
      client.close(name);
    }
    await stillAnswers();
  });
});

describe('requests', () => {
  test('that are cancelled are answered so, at any time', async () => {
    client.replace(a, 2, 'forever');
    const id = client.start('textDocument/diagnostic', { textDocument: { uri: a } });
    const running = client.next((message) => message.id === id);
    await client.roundTrip();
    client.notify('$/cancelRequest', { id });
    assert.equal((await running).error?.code, -32800);
    const queued = client.next((message) => message.id === id + 2);
    assert.equal(client.start('textDocument/diagnostic', { textDocument: { uri: a } }), id + 2);
    client.notify('$/cancelRequest', { id: id + 2 });
    assert.equal((await queued).error?.code, -32800);
    client.notify('$/cancelRequest', { id: 'never' });
    await stillAnswers();
  });

  test('that wait for a document that closes are answered', async () => {
    client.replace(a, 2, 'forever');
    const answer = client.request('textDocument/diagnostic', { textDocument: { uri: a } });
    client.close(a);
    assert.deepEqual((await answer).items, []);
    client.open(a, 'x');
    await stillAnswers();
  });
});

describe('bugs of ours', () => {
  test('an exception in the engine is a diagnostic and a line in the log', async () => {
    const log = client.next(({ method }) => method === 'window/logMessage');
    client.replace(a, 2, 'problem A a\nthrow oh no');
    const [diagnostic] = await client.diagnostics(a, 2);
    assert.equal(diagnostic!.code, 'INTERNAL');
    assert.match(diagnostic!.message, /oh no/);
    assert.match((await log).params.message, /Checking .*: Error: oh no\n +at /);
    await stillAnswers();
  });

  for (const line of ['later', 'reject nobody caught me']) {
    test(`an error that nobody catches is logged (${line})`, async () => {
      const log = client.next(({ method }) => method === 'window/logMessage');
      client.replace(a, 2, line);
      assert.match((await log).params.message, /^Internal error: /);
      await stillAnswers();
    });
  }

  test('what is printed goes to stderr, not between the messages', async () => {
    client.replace(a, 2, 'print from console.log\nprintf from stdout.write\nproblem A a');
    assert.equal((await client.diagnostics(a, 2)).length, 1);
    await stillAnswers();
    assert.match(client.stderr, /from console.log/);
    assert.match(client.stderr, /from stdout.write/);
  });
});

describe('the process ends', () => {
  test('with 1 if it is told to without a shutdown', async () => {
    client.notify('exit');
    assert.equal((await client.exited).code, 1);
  });

  test('with 1 when the client closes the stream', async () => {
    client.process.stdin.end();
    assert.equal((await client.exited).code, 1);
  });

  test('with 0 when the stream closes after a shutdown', async () => {
    await client.request('shutdown');
    client.process.stdin.end();
    assert.equal((await client.exited).code, 0);
  });

  test('while a check that never ends is running', async () => {
    client.replace(a, 2, 'forever');
    assert.equal(await client.shutdown(), 0);
    assert.equal(client.isRunning, false);
  });

  test('when nobody reads what it writes', async () => {
    client.process.stdout.destroy();
    client.replace(a, 2, 'problem A a');
    assert.notEqual((await client.exited).code, null);
  });

  test('when the parent that the client named is gone', async () => {
    const parent = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => parent.on('close', resolve));
    const orphan = new Client(fakeServer);
    await orphan.initialize({}, { processId: parent.pid });
    assert.equal((await orphan.exited).code, 1);
  });
});
