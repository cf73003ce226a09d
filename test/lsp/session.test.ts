// Whole sessions as golden transcripts: what a client of each kind gets, message by message.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Client, fakeServer, fullCapabilities, killLeftovers } from './client.ts';
import { expectGolden, transcript } from './golden.ts';

/** Where the rules are explained. */
const docs = pathToFileURL(join(import.meta.dirname, '../../docs')).href;

let folder: string;
let base: string;
const uri = (name: string) => `${base}/${name}`;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'snp-lsp-'));
  base = pathToFileURL(folder).href;
  writeFileSync(join(folder, 'sev.c'), 'int on_disk;\n');
});
afterEach(killLeftovers);
after(() => rmSync(folder, { recursive: true }));

test('a client with everything: open, edit, close, shut down', async () => {
  const client = new Client(fakeServer);
  await client.initialize();
  const a = uri('a.snpscenario');
  client.open(a, 'problem ATTR-RMP the page is shared\nunused\nblame model:fake/sev.c 0 and why\n');
  await client.diagnostics(a, 1);
  client.edit(a, 2, 0, 8, 16, 'ORDER');
  await client.diagnostics(a, 2);
  client.replace(a, 3, 'all is well');
  await client.diagnostics(a, 3);
  client.replace(a, 4, 'problem W-LAST again');
  await client.diagnostics(a, 4);
  client.close(a);
  assert.deepEqual(await client.diagnostics(a), []);
  assert.equal(await client.shutdown(), 0);
  expectGolden('session', transcript(client, { [docs]: 'file:///docs', [base]: 'file:///folder' }));
});

test('a cold client that declares nothing gets related places as text', async () => {
  const client = new Client(fakeServer);
  await client.initialize({});
  const a = uri('a.snpscenario');
  client.open(a, 'problem ATTR-RMP the page is shared\nunused\nblame model:fake/sev.c 0 and why\n', 'plaintext');
  await client.diagnostics(a, 1);
  assert.equal(await client.shutdown(), 0);
  expectGolden('cold-client', transcript(client, { [docs]: 'file:///docs', [base]: 'file:///folder' }));
});

test('a client that pulls is answered when the verdict is there, with the C file beside it', async () => {
  const client = new Client(fakeServer);
  await client.initialize({ textDocument: { diagnostic: { relatedDocumentSupport: true } } });
  const a = uri('a.snpscenario');
  client.open(a, 'work 1000000\nproblem ATTR-RMP late\nin sev.c 0 ORDER there\n');
  await client.request('textDocument/diagnostic', { textDocument: { uri: a } });
  client.edit(a, 2, 1, 0, 7, 'nothing');
  await client.request('textDocument/diagnostic', { textDocument: { uri: a } });
  await client.request('textDocument/diagnostic', { textDocument: { uri: uri('never-opened.snpscenario') } });
  assert.equal(await client.shutdown(), 0);
  assert.deepEqual(client.published(a), []);
  expectGolden('pull', transcript(client, { [docs]: 'file:///docs', [base]: 'file:///folder' }));
});

test('the text of a bundled model, by LSP 3.18 and by our own request', async () => {
  const client = new Client(fakeServer);
  await client.initialize({ ...fullCapabilities, workspace: { textDocumentContent: {} } });
  await client.request('workspace/textDocumentContent', { uri: 'snp-model:/fake/sev.c' });
  await client.ask('workspace/textDocumentContent', { uri: 'snp-model:/fake/nothing.c' });
  await client.request('snpScenario/modelSource', { uri: 'snp-model:/fake/sev.c' });
  await client.request('snpScenario/modelSource', { uri: 'file:///etc/passwd' });
  await client.request('snpScenario/modelSource', { uri: 'snp-model:/__proto__' });
  await client.request('snpScenario/modelSource', { uri: 42 });
  assert.equal(await client.shutdown(), 0);
  expectGolden('model-source', transcript(client));
});

test('a client that watches files is asked to, in the workspace and beside it', async () => {
  const client = new Client(fakeServer);
  const capabilities = {
    ...fullCapabilities,
    workspace: {
      configuration: true,
      didChangeConfiguration: { dynamicRegistration: true },
      didChangeWatchedFiles: { dynamicRegistration: true, relativePatternSupport: true },
    },
  };
  client.answers['workspace/configuration'] = () => [{ maxDiagnostics: 2 }];
  const workspaceFolders = [{ uri: uri('project'), name: 'project' }];
  const asked = client.next(({ method }) => method === 'workspace/configuration');
  await client.initialize(capabilities, { workspaceFolders });
  await asked;
  const a = uri('project/a.snpscenario');
  const outside = client.next(({ params }) => JSON.stringify(params ?? '').includes('baseUri'));
  const gone = client.next(({ method }) => method === 'client/unregisterCapability');
  client.open(a, 'use inside.c\nuse ../sev.c\nuse inside.txt\nproblem A a');
  assert.equal((await client.diagnostics(a, 1)).length, 2);
  await outside;
  client.close(a);
  await gone;
  assert.equal(await client.shutdown(), 0);
  // Two conversations at once: only what the server registers is compared.
  const patterns = client.received
    .filter(({ method }) => method === 'client/registerCapability')
    .flatMap(({ params }) => params.registrations)
    .map(
      ({ method, registerOptions }) =>
        `${method} ${JSON.stringify(registerOptions).replaceAll(base, 'file:///folder')}`,
    )
    .sort();
  assert.deepEqual(patterns, [
    'workspace/didChangeConfiguration {"section":"snpScenario"}',
    'workspace/didChangeWatchedFiles {"watchers":[{"globPattern":"**/*.{snpscenario,c,h,patch,diff,mbox,mbox.txt}"}]}',
    'workspace/didChangeWatchedFiles {"watchers":[{"globPattern":{"baseUri":"file:///folder","pattern":"*"}},{"globPattern":{"baseUri":"file:///folder/project","pattern":"*"}}]}',
  ]);
});
