// Hover over stdio, as a client sees it. What is said is golden (hover.*.txt); here stands where the pointer is.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Hover, MarkupContent, Position } from 'vscode-languageserver';
import { type Client, killLeftovers } from '../client.ts';
import { expectGolden } from '../golden.ts';
import { marked, openMarked, startServer } from './kit.ts';

const markdown = { textDocument: { hover: { contentFormat: ['markdown', 'plaintext'] } } };

const head = `host {
  memory 4G
  cpus 4
  option sizem-on-plain-access = on
}
guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
`;

afterEach(killLeftovers);

const hoverAt = (client: Client, uri: string, position: Position): Promise<Hover | null> =>
  client.request('textDocument/hover', { textDocument: { uri }, position });

/** The text of a hover; fails if there is none. */
function said(hover: Hover | null): string {
  assert.ok(hover, 'there is no hover');
  return (hover.contents as MarkupContent).value;
}

/** Every marker with what is said there. */
async function everything(
  client: Client,
  document: { uri: string; text: string; at: Record<string, Position> },
): Promise<string> {
  const lines = document.text.split('\n');
  const parts: string[] = [];
  for (const [name, position] of Object.entries(document.at)) {
    const hover = await hoverAt(client, document.uri, position);
    const range = hover?.range;
    const on =
      range &&
      (range.start.line === range.end.line
        ? lines[range.start.line].slice(range.start.character, range.end.character)
        : '(several lines)');
    parts.push(`===== ${name}${on === undefined ? '' : `: ${on}`}\n${hover === null ? '(nothing)' : said(hover)}\n`);
  }
  return parts.join('\n').replace(/file:\/\/\S*\/docs\//g, 'docs:/');
}

const tour = `use kernel "kvm-‸kernel‸rfc-v8"
${head.replace('memory', 'mem‸setting‸ory').replace('sizem', '‸option‸sizem').replace('slot 0', 'sl‸slot‸ot 0').replace('folio', 'fol‸folio‸io').replace('64M', '6‸size‸4M').replace('guest g', 'guest ‸guest‸g')}
/// The region that everything is about.
let ‸let‸region = 2M

/// Converts a page, and has the guest validate it.
sequence take(page) {
  vmm.set_memory_attributes(g, page ‸in_body_expression‸+4K, PRIVATE)
  g.pvali‸in_body‸date(page)
}

// From a log: [0x6010fff‸dump‸ffffff001 - 0x1f]
/// One page.
scenario "con‸name‸vert" {
  vmm.set_mem‸operation‸ory_attributes(g, 0..‸range‸2M, PRI‸word‸VATE)
  ‸actor‸vmm.set_memory_attributes(g, 0..2M, PRIVATE) ‸step‸=> ok
  g.pvalidate(‸address‸0, 2M)
  g.pvalidate(0, 2M) => ‸outcome‸CF=1
  vmm.set_memory_attributes(g, 64K +4K, SHARED) // page ‸comment‸by page
  host.write(pfn(g, 6‸pfn_argument‸8K)) => #‸fault‸PF(‸bit‸RMP)
  host.write(p‸function‸fn(g, 64K))
  cpu.rmpupdate(pfn(g, 0), gp‸named_operand‸a 0, asid ‸number‸1, 2‸size_word‸M, assign‸flag‸ed) => FAIL_‸code‸OVERLAP
  expect r‸query‸mp(g, 6‸expect_page‸8K) is { guest ‸pattern_guest‸g, 4‸pattern_size‸K, valid‸field‸ated }
  expect rmp(g, 64K) is sh‸query_word‸ared
  allow ATTR‸rule‸-RMP "a reason"
  vmm.set_memory_attributes(g, regi‸let_use‸on..4M, PRIVATE)
  let ‸local‸frame = pfn(g, region)
  ta‸sequence‸ke(region + ‸call_argument‸64K)‸call‸ => ok
  for pa‸loop_variable‸ge in 4M..5M step 256K {
    g.wr‸loop_step‸ite(‸loop_page‸page)
  }
}
`;

test('everywhere in a scenario, in Markdown', async () => {
  const client = await startServer(markdown);
  const document = await openMarked(client, tour);
  expectGolden('hover', await everything(client, document));
});

test('everywhere in a scenario, in plain text for a client that says nothing of Markdown', async () => {
  const client = await startServer();
  const document = await openMarked(client, tour);
  const all = await everything(client, document);
  expectGolden('hover-plain', all);
  assert.doesNotMatch(all, /\*\*|\]\(|^\|/m);
});

test('the words that statements begin with, where there is nothing else to say', async () => {
  const client = await startServer(markdown);
  const document = await openMarked(
    client,
    `u‸use‸se ker‸model‸nel "kvm-rfc-v8"
ho‸host‸st {
  memory 4G
}
gue‸guest‸st g {
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
le‸let‸t page = 4K
st‸stub‸ub nothing returns 0
seq‸sequence‸uence take(page) {
  vmm.set_memory_attributes(g, page +4K, PRIVATE)
}
inva‸invariant‸riant "own" {
  forall page p: rmp(p) is validated implies rmp(p) is assigned
}
scenario "a" {
  allo‸allow‸w SWALLOW "a reason"
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  expect count(rmp‸instruction‸update) is 1
  fo‸for‸r a in 0..2M step 1M {
    take(a)
  }
}
`,
  );
  expectGolden('hover-words', await everything(client, document));
});

describe('in C', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'snp-hover-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const own = `/*
 * [0x6010fff‸dump‸ffffff001 - 0x1f] was in the log
 */
#include <linux/kvm_host.h>

static int ‸helper‸helper(u64 pfn)
{
	return ‸native‸rmp_make_shared(pfn, PG_LEVEL_4K);
}

int give_‸own‸back(u64 pfn)
{
	helper(pfn);
	return help‸call‸er(pfn);
}

int ‸replaced‸psmash(u64 pfn)
{
	return ‸unknown‸whatever;
}
`;

  const scenario = (path: string) => `use source "${path}"
${head}
scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  kernel.give_‸callee‸back(0x40000) => any
  cpu.psmash(pfn(g, 2M)) => any
}
`;

  async function opened(client: Client) {
    const c = marked(own);
    const path = join(folder, 'own.c');
    writeFileSync(path, c.text);
    const uri = pathToFileURL(path).href;
    const used = await openMarked(client, scenario('own.c'), pathToFileURL(join(folder, 'a.snpscenario')).href);
    const verdict = client.diagnostics(used.uri);
    client.open(uri, c.text, 'c');
    await Promise.race([verdict, client.roundTrip()]);
    return { used, c: { ...c, uri } };
  }

  test('functions of a source in use: who defines them, what they call, in which steps they ran, what is wrong in them', async () => {
    const client = await startServer(markdown);
    const { c, used } = await opened(client);
    const text = (await everything(client, c)) + (await everything(client, used));
    expectGolden('hover-c', text.replaceAll(pathToFileURL(folder).href, 'file:///project'));
  });

  test('a model file, once somebody opens it', async () => {
    const client = await startServer();
    await opened(client);
    const uri = 'snp-model:/kvm-rfc-v8/rmp.c';
    const { text } = await client.request('snpScenario/modelSource', { uri });
    client.open(uri, text, 'c');
    const line = text.split('\n').findIndex((one: string) => /^int rmp_make_shared\(/.test(one));
    assert.match(
      said(await hoverAt(client, uri, { line, character: 6 })),
      /^int rmp_make_shared\(.*\n\nOf the kernel model kvm-rfc-v8: rmp\.c:\d+\.\n\nIt ran in \d+ step/,
    );
  });

  test('a C file that no scenario uses has no hovers, but for what it says of entries', async () => {
    const client = await startServer();
    client.open('file:///elsewhere/x.c', '/* [0x4 - 0x0] */ int psmash(u64 pfn);\n', 'c');
    assert.equal(await hoverAt(client, 'file:///elsewhere/x.c', { line: 0, character: 24 }), null);
    assert.match(said(await hoverAt(client, 'file:///elsewhere/x.c', { line: 0, character: 6 })), /^HV_FIXED/);
  });
});

test('a log that is open in the editor', async () => {
  const client = await startServer(markdown);
  client.open(
    'file:///logs/dmesg.txt',
    'x\n[   12.3] SEV-SNP: RMPUPDATE failed for PFN 56700, pg_level: 1, ret: 2\n',
    'plaintext',
  );
  const hover = await hoverAt(client, 'file:///logs/dmesg.txt', { line: 1, character: 30 });
  assert.match(said(hover), /^\*\*RMPUPDATE at PFN 0x56700: FAIL\\_PERMISSION\*\*/);
  assert.deepEqual(hover?.range, { start: { line: 1, character: 19 }, end: { line: 1, character: 70 } });
});

test('a scenario that is broken, that nothing can run, that stopped, and places outside of the document', async () => {
  const client = await startServer();
  const broken = await openMarked(
    client,
    `${head}
scenario "a" {
  vmm.set_memory_attributes(g, 0..‸range‸2M, PRIVATE)
  g.re‸wrong‸ad(nonsense(
  kernel.no_such(1)
  g.re‸unreached‸ad(6‸unreached_page‸4K)
  }
}}‸stray‸ ?
`,
  );
  const patchless = await openMarked(
    client,
    `use patch "missing.pat‸patch‸ch"\n${head}\nscenario "b" {\n  g.re‸step‸ad(6‸page‸4K)\n}\n`,
  );
  expectGolden('hover-broken', `${await everything(client, broken)}\n${await everything(client, patchless)}`);
  for (const position of [
    { line: 1e9, character: 1e9 },
    { line: 0, character: 1e9 },
    { line: -1, character: -5 },
  ])
    await hoverAt(client, broken.uri, position);
  assert.equal(
    (await client.ask('textDocument/hover', { textDocument: { uri: broken.uri }, position: 'x' })).error?.code,
    -32602,
  );
  assert.equal(await hoverAt(client, 'file:///not/open', { line: 0, character: 0 }), null);
});

test('before the first verdict, and while a long scenario runs, a hover is answered', async () => {
  const client = await startServer();
  const uri = 'file:///features/early.snpscenario';
  client.open(
    uri,
    `${head}scenario "a" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  for a in 0..1000 {\n    vmm.set_memory_attributes(g, 4K..60M, PRIVATE) => any\n    vmm.set_memory_attributes(g, 4K..60M, SHARED) => any\n  }\n}\n`,
  );
  assert.match(said(await hoverAt(client, uri, { line: 10, character: 3 })), /^→ 0 · 1 × 2M assigned/);
  const inLoop = client.ask('textDocument/hover', { textDocument: { uri }, position: { line: 12, character: 5 } });
  assert.match(said(await hoverAt(client, uri, { line: 1, character: 3 })), /^memory/);
  assert.match(said((await inLoop).result), /^→ 0 · .* times\n/);
});

test('a step of a sequence from an import, and a scenario that uses it', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `import "snp:li‸import‸nux-guest"
${head}
scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  linux_set_memory_de‸call‸crypted_4k(g, 6‸argument‸4K +4K)
}
`,
  );
  expectGolden('hover-import', await everything(client, document));
});
