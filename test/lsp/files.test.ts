// Verdicts on the C that scenarios use, and what a change of it does: in the editor, on disk, with one scenario open or several.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Client, type Diagnostic, fakeServer, killLeftovers } from './client.ts';

let folder: string;
let client: Client;
const uri = (name: string) => pathToFileURL(join(folder, name)).href;
const messages = (diagnostics: Diagnostic[]) => diagnostics.map(({ message }) => message);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snp lsp ä-'));
  client = new Client(fakeServer);
  await client.initialize();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await killLeftovers();
});

/** Opens and returns the first verdict. */
async function open(name: string, text: string): Promise<Diagnostic[]> {
  const verdict = client.diagnostics(uri(name));
  client.open(uri(name), text);
  return verdict;
}

describe('diagnostics on a C file', () => {
  test('are the union over the scenarios that use it, each said once', async () => {
    const c = uri('sev.c');
    const first = client.diagnostics(c);
    client.open(uri('a.snpscenario'), 'in sev.c 1 ORDER both\nin sev.c 2 ORDER only a');
    assert.deepEqual(messages(await first), ['both', 'only a']);
    const second = client.diagnostics(c);
    client.open(uri('b.snpscenario'), 'in sev.c 1 ORDER both\nin sev.c 3 ORDER only b');
    assert.deepEqual(messages(await second), ['both', 'only a', 'only b']);
    const third = client.diagnostics(c);
    client.close(uri('a.snpscenario'));
    assert.deepEqual(messages(await third), ['both', 'only b']);
    const fourth = client.diagnostics(c);
    client.replace(uri('b.snpscenario'), 2, 'nothing of the kind');
    assert.deepEqual(messages(await fourth), []);
  });

  test('are not sent again when they stay the same', async () => {
    const a = uri('a.snpscenario');
    await open('a.snpscenario', 'in sev.c 1 ORDER here\n');
    client.edit(a, 2, 1, 0, 0, '// more');
    await client.diagnostics(a, 2);
    await client.roundTrip();
    assert.equal(client.published(uri('sev.c')).length, 1);
  });

  test('use the URI under which the editor has it open', async () => {
    const spelled = uri('sev.c').replace('%20', ' ');
    client.open(spelled, 'int x;', 'c');
    const published = client.diagnostics(spelled);
    client.open(uri('a.snpscenario'), 'in sev.c 0 ORDER here');
    assert.deepEqual(messages(await published), ['here']);
  });
});

describe('a scenario is checked again', () => {
  test('when its C file is opened, edited and closed in the editor, whose text wins over the disk', async () => {
    writeFileSync(join(folder, 'sev.c'), 'on disk');
    const a = uri('a.snpscenario');
    assert.deepEqual(messages(await open('a.snpscenario', 'use sev.c')), ['on disk']);
    client.open(uri('sev.c'), 'in the editor', 'c');
    assert.deepEqual(messages(await client.diagnostics(a)), ['in the editor']);
    client.edit(uri('sev.c'), 2, 0, 0, 2, 'still in');
    assert.deepEqual(messages(await client.diagnostics(a)), ['still in the editor']);
    client.close(uri('sev.c'));
    assert.deepEqual(messages(await client.diagnostics(a)), ['on disk']);
  });

  test('but not when the C file is opened as it is on disk', async () => {
    writeFileSync(join(folder, 'sev.c'), 'on disk');
    await open('a.snpscenario', 'use sev.c');
    client.open(uri('sev.c'), 'on disk', 'c');
    await client.roundTrip();
    assert.equal(client.published(uri('a.snpscenario')).length, 1);
  });

  test('when the client says that the file changed on disk, was created or deleted', async () => {
    const a = uri('a.snpscenario');
    const path = join(folder, 'sev.c');
    const event = (type: number, name = 'sev.c') =>
      client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: uri(name), type }] });
    assert.deepEqual(messages(await open('a.snpscenario', 'use sev.c')), ['error: no such file']);
    writeFileSync(path, 'made');
    event(1);
    assert.deepEqual(messages(await client.diagnostics(a)), ['made']);
    writeFileSync(path, 'MADE');
    event(2);
    assert.deepEqual(messages(await client.diagnostics(a)), ['MADE']);
    rmSync(path);
    event(3, ''); // some clients name the folder
    assert.deepEqual(messages(await client.diagnostics(a)), ['error: no such file']);
  });

  test('with the file as it is now, even if nobody told the server', async () => {
    const a = uri('a.snpscenario');
    const path = join(folder, 'sev.c');
    writeFileSync(path, 'old');
    await open('a.snpscenario', 'use sev.c');
    writeFileSync(path, 'new');
    utimesSync(path, 1e9, 1e9); // the same size, another time
    client.replace(a, 2, 'use sev.c ');
    assert.deepEqual(messages(await client.diagnostics(a, 2)), ['new']);
  });

  test('when a scenario that it imports is edited', async () => {
    await open('common.snpscenario', 'nothing');
    await open('a.snpscenario', 'use common.snpscenario');
    client.replace(uri('common.snpscenario'), 2, 'something');
    assert.deepEqual(messages(await client.diagnostics(uri('a.snpscenario'))), ['something']);
  });
});

describe('files that cannot be had', () => {
  test('say why', async () => {
    writeFileSync(join(folder, 'binary.c'), Buffer.from([1, 0, 2]));
    writeFileSync(join(folder, 'latin.c'), Buffer.from([0x2f, 0x2f, 0xe4]));
    writeFileSync(join(folder, 'bom.c'), '\ufeffint x;');
    const text = ['binary.c', 'latin.c', 'bom.c', '.', '/dev/zero', 'none/x.c', 'https://example.org/x.c', 'a%20b.c']
      .map((name) => `use ${name}`)
      .join('\n');
    assert.deepEqual(messages(await open('a.snpscenario', text)), [
      'error: it is not text, it contains a NUL byte',
      '//\ufffd',
      'int x;',
      'error: it is a folder',
      'error: it is not a regular file',
      'error: no such file',
      'error: https: only files on disk and documents open in the editor can be read',
      'error: no such file',
    ]);
  });

  test('an unsaved document is in no folder; a whole path it can name', async () => {
    writeFileSync(join(folder, 'sev.c'), 'on disk');
    const untitled = 'untitled:Untitled-1';
    const verdict = client.diagnostics(untitled, 1);
    client.open(untitled, `use sev.c\nuse ${join(folder, 'sev.c')}\nuse ${uri('sev.c')}`);
    const [first, ...rest] = messages(await verdict);
    assert.match(first!, /in no folder yet/);
    assert.deepEqual(rest, ['on disk', 'on disk']);
  });

  test('a virtual folder is read through the documents open in it', async () => {
    const verdict = client.diagnostics('vscode-vfs://github/o/r/a.snpscenario', 1);
    client.open('vscode-vfs://github/o/r/sev.c', 'virtual', 'c');
    client.open('vscode-vfs://github/o/r/a.snpscenario', 'use ./x/../sev.c\nuse other.c');
    assert.deepEqual(messages(await verdict), [
      'virtual',
      'error: vscode-vfs: only files on disk and documents open in the editor can be read',
    ]);
  });
});

test('the last of too many problems says how many are not shown; the severest stay', async () => {
  const a = uri('a.snpscenario');
  const many = Array.from({ length: 600 }, (_, index) => `problem ${index === 599 ? 'E' : 'W-E'} ${index}`).join('\n');
  const shown = await open('a.snpscenario', many);
  assert.equal(shown.length, 500);
  assert.equal(shown.at(-2)!.message, '599');
  assert.match(shown.at(-1)!.message, /^101 more problems/);
  const fewer = client.diagnostics(a);
  client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { maxDiagnostics: 3 } } });
  assert.match((await fewer).at(-1)!.message, /^598 more problems/);
  for (const maxDiagnostics of [0, -1, 1.5, '7', null, {}]) {
    client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { maxDiagnostics } } });
  }
  await client.roundTrip();
  assert.equal(client.published(a).length, 2);
});
