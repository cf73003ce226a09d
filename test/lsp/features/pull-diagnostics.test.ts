// Diagnostics for a client that pulls them and takes none that are pushed, with the real engine: tags, related places, the documents beside.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Diagnostic, DiagnosticTag } from 'vscode-languageserver';
import { Client, type Json, killLeftovers, realServer } from '../client.ts';

const c = 'file:///pull/own.c';
const uri = 'file:///pull/a.snpscenario';
const text = `use source "own.c"
guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  kernel.give_back(0x40000) => any
  allow RETRY "nothing here does"
  g.pvalidate(0, 2M)
  kernel.no_such_function()
  g.read(0)
}
`;
const source = 'int give_back(u64 pfn)\n{\n\treturn rmp_make_shared(pfn, PG_LEVEL_4K);\n}\n';

afterEach(killLeftovers);

async function pulled(diagnostic: Json, workspace: Json = {}): Promise<{ client: Client; report: Json }> {
  const client = new Client(realServer);
  await client.initialize({ textDocument: { diagnostic }, workspace });
  client.open(c, source, 'c');
  client.open(uri, text);
  return { client, report: await client.request('textDocument/diagnostic', { textDocument: { uri } }) };
}

const found = (report: Json, code: string): Diagnostic => {
  const diagnostic = report.items.find((one: Diagnostic) => one.code === code);
  assert.ok(diagnostic, `no ${code} in ${JSON.stringify(report.items.map((one: Diagnostic) => one.code))}`);
  return diagnostic;
};

const everything = {
  relatedDocumentSupport: true,
  relatedInformation: true,
  tagSupport: { valueSet: [DiagnosticTag.Unnecessary, DiagnosticTag.Deprecated] },
};

test('steps that were not reached and allows that silence nothing are tagged as unnecessary', async () => {
  const { report } = await pulled(everything);
  const unreached = found(report, 'UNREACHED');
  assert.deepEqual(unreached.tags, [DiagnosticTag.Unnecessary]);
  assert.equal(unreached.range.start.line, 11);
});

test('tags are left out for a client that does not know them', async () => {
  const { report } = await pulled({});
  assert.equal(found(report, 'UNREACHED').tags, undefined);
});

test('the C line stands in related places, and in its own document for a client that takes documents beside', async () => {
  const { report } = await pulled(everything);
  const overlap = found(report, 'OVERLAP');
  assert.ok(overlap.relatedInformation?.some(({ location }) => location.uri === c && location.range.start.line === 2));
  const beside = report.relatedDocuments[c].items;
  assert.deepEqual(
    beside.map((one: Diagnostic) => [one.code, one.range.start.line]),
    [['OVERLAP', 2]],
  );
});

test('a client that takes no documents beside asks for the C file itself', async () => {
  const { client, report } = await pulled({ relatedInformation: true });
  assert.equal(report.relatedDocuments, undefined);
  const own = await client.request('textDocument/diagnostic', { textDocument: { uri: c } });
  assert.deepEqual(
    own.items.map((one: Diagnostic) => one.code),
    ['OVERLAP'],
  );
});

test('a client that knows no related places reads them in the message', async () => {
  const { report } = await pulled({});
  assert.match(String(found(report, 'OVERLAP').message), /own\.c:3: in give_back\(\)/);
});

test('the client is asked to pull again when a verdict changes with a file in use', async () => {
  const { client } = await pulled(everything, { diagnostics: { refreshSupport: true } });
  const refreshed = client.next(({ method }) => method === 'workspace/diagnostic/refresh', 'a refresh');
  client.replace(c, 2, source.replace('rmp_make_shared(pfn, PG_LEVEL_4K)', '0'));
  await refreshed;
  const report = await client.request('textDocument/diagnostic', { textDocument: { uri } });
  assert.ok(!report.items.some((one: Diagnostic) => one.code === 'OVERLAP'));
});
