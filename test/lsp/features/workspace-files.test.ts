// Names followed into files of the workspace that nobody has opened: found by the client, or by the server if the client does not tell.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { startServer } from './kit.ts';

const common = 'sequence share(who) {\n  who.read(0)\n}\n';
const user = 'import "../common.snpscenario"\nguest g {\n}\nscenario "uses it" {\n  share(g)\n}\n';

describe('files that are not open', () => {
  let folder: string;
  let uri: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'snp-files-'));
    mkdirSync(join(folder, 'below'));
    mkdirSync(join(folder, '.hidden'));
    writeFileSync(join(folder, 'common.snpscenario'), common);
    writeFileSync(join(folder, 'below/user.snpscenario'), user);
    writeFileSync(join(folder, 'below/other.snpscenario'), 'sequence share(who) {\n}\n');
    writeFileSync(join(folder, '.hidden/user.snpscenario'), user);
    uri = pathToFileURL(join(folder, 'common.snpscenario')).href;
  });
  after(async () => {
    await killLeftovers();
    rmSync(folder, { recursive: true });
  });

  async function check(client: Client): Promise<void> {
    client.open(uri, common);
    await client.diagnostics(uri, 1);
    const at = { textDocument: { uri }, position: { line: 0, character: 11 } };
    const places: Json[] = await client.request('textDocument/references', {
      ...at,
      context: { includeDeclaration: false },
    });
    assert.deepEqual(
      places.map((place) => `${place.uri.slice(uri.lastIndexOf('/') + 1)}:${place.range.start.line}`),
      ['below/user.snpscenario:4'],
    );
    const { changes } = await client.request('textDocument/rename', { ...at, newName: 'give' });
    assert.deepEqual(Object.keys(changes).length, 2);
    const symbols: Json[] = await client.request('workspace/symbol', { query: 'uses it' });
    assert.equal(symbols.length, 1);
    // What is on disk counts as it is now.
    writeFileSync(join(folder, 'below/user.snpscenario'), user.replace('share(g)', 'share(g)\n  share(g)'));
    const more: Json[] = await client.request('textDocument/references', {
      ...at,
      context: { includeDeclaration: false },
    });
    writeFileSync(join(folder, 'below/user.snpscenario'), user);
    assert.equal(more.length, 2);
  }

  test('a client that tells which files there are', async () => {
    const client = await startServer();
    const uris = ['below/user.snpscenario', 'below/other.snpscenario'].map(
      (name) => pathToFileURL(join(folder, name)).href,
    );
    await client.request('snpScenario/discover', { uris });
    await check(client);
  });

  test('a client that does not', async () => {
    await check(await startServer({}, { rootUri: pathToFileURL(folder).href }));
  });
});
