// Hints at the ends of steps, over stdio.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { InlayHint, Range } from 'vscode-languageserver';
import { type Client, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const head = `guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
`;

const lazy = {
  textDocument: {
    hover: { contentFormat: ['markdown'] },
    inlayHint: { resolveSupport: { properties: ['tooltip'] } },
  },
  workspace: { inlayHint: { refreshSupport: true } },
};

afterEach(killLeftovers);

const whole: Range = { start: { line: 0, character: 0 }, end: { line: 99_999, character: 0 } };

const ask = (client: Client, uri: string, range = whole): Promise<InlayHint[]> =>
  client.request('textDocument/inlayHint', { textDocument: { uri }, range });

/** The document with the hints at their places. */
async function shown(client: Client, document: { uri: string; text: string }, range = whole): Promise<string> {
  const lines = document.text.split('\n');
  const hints = await ask(client, document.uri, range);
  for (const { position, label } of [...hints].reverse()) {
    const line = lines[position.line];
    lines[position.line] = `${line.slice(0, position.character)}  ${label}${line.slice(position.character)}`;
  }
  return lines.slice(head.split('\n').length - 1).join('\n');
}

test('the outcome of a step and what changed, at its end', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K +4K, SHARED) // one page
  host.write(pfn(g, 68K)) => #PF(RMP)
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned) => FAIL_OVERLAP
  g.read(68K)
  expect rmp(g, 68K) is validated
  for page in 2M..2M + 16K step 4K {
    vmm.set_memory_attributes(g, page +4K, PRIVATE)
  }
}
`,
  );
  assert.equal(
    await shown(client, document),
    `scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)  → 0 · 1 × 2M assigned
  g.pvalidate(0, 2M)  → 0 · 1 × 2M validated
  vmm.set_memory_attributes(g, 64K +4K, SHARED)  → 0 · PSMASH · 1 × 4K unassigned, head count 510 // one page
  host.write(pfn(g, 68K)) => #PF(RMP)
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned) => FAIL_OVERLAP
  g.read(68K)  → ok · 1 × 4K mapped
  expect rmp(g, 68K) is validated
  for page in 2M..2M + 16K step 4K {
    vmm.set_memory_attributes(g, page +4K, PRIVATE)  → 0 · 4 × 4K assigned, head count 3 · 4 times
  }
}
`,
  );
});

test('what the line states itself is not said again: only what changed, and what it leaves open', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE) => ok
  g.read(0) => #VC(0x404)
  g.pvalidate(0, 2M) => ok
  g.pvalidate(0, 2M) => CF=1
  host.write(pfn(g, 0)) => #PF
  host.write(pfn(g, 0)) => #PF(P|W|RMP)
  host.write(pfn(g, 0)) => fails
  host.read(pfn(g, 0)) => any
  host.write(pfn(g, 0)) => ok
  host.write(pfn(g, 0)) => #GP
  g.read(2M) => KVM_EXIT_MEMORY_FAULT
  g.read(2M) => #NPF(RMP|ENC)
  for page in 4K..12K step 4K {
    host.write(pfn(g, page)) => #PF(RMP)
  }
}
`,
  );
  const lines = (await shown(client, document)).split('\n').slice(1, -2);
  assert.deepEqual(
    lines.map((line) => line.trim()),
    [
      'vmm.set_memory_attributes(g, 0..2M, PRIVATE) => ok  → 1 × 2M assigned',
      'g.read(0) => #VC(0x404)  → 1 × 2M mapped',
      'g.pvalidate(0, 2M) => ok  → 1 × 2M validated',
      'g.pvalidate(0, 2M) => CF=1',
      'host.write(pfn(g, 0)) => #PF  → #PF(RMP)',
      'host.write(pfn(g, 0)) => #PF(P|W|RMP)',
      'host.write(pfn(g, 0)) => fails  → #PF(RMP)',
      'host.read(pfn(g, 0)) => any  → ok',
      'host.write(pfn(g, 0)) => ok  → #PF(RMP)',
      'host.write(pfn(g, 0)) => #GP  → #PF(RMP)',
      'g.read(2M) => KVM_EXIT_MEMORY_FAULT',
      'g.read(2M) => #NPF(RMP|ENC)  → KVM_EXIT_MEMORY_FAULT',
      'for page in 4K..12K step 4K {',
      'host.write(pfn(g, page)) => #PF(RMP)  → 2 times',
      '}',
    ],
  );
});

test('512 single pages, in the words of the design', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `guest g {
  asid 1
  slot 0 gpa 0..64M private folio 4K pfn 0x40000
}
scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
}
`,
  );
  assert.deepEqual(
    (await ask(client, document.uri)).map(({ label }) => label),
    ['→ 0 · 512 × 4K assigned, head count 511'],
  );
});

test('the call of a sequence has one hint for all of its steps, and so does a call within a loop', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}sequence take(page) {
  vmm.set_memory_attributes(g, page +4K, PRIVATE)
  g.pvalidate(page)
}
scenario "a" {
  take(0)
  for page in 4K..12K step 4K {
    take(page)
  }
}
`,
  );
  assert.deepEqual(
    (await ask(client, document.uri)).map(({ position, label }) => [position.line, label]),
    [
      [9, '→ 0 · 1 × 4K assigned, head count 0 · 1 × 4K validated · 2 steps'],
      [11, '→ 0 · 2 × 4K assigned, head count 2 · 2 × 4K validated · 4 steps'],
    ],
  );
});

test('only the lines that are asked for', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
«  g.pvalidate(0, 2M)
  g.read(0)
»  g.write(0)
}
scenario "b" {
  g.read(0)
}
`,
  );
  assert.deepEqual(
    (await ask(client, document.uri, document.ranges[0])).map(({ position }) => position.line),
    [6, 7],
  );
});

test('steps that are wrong, were not reached or cannot run have none', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "broken" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 3M)
  g.nonsense(1)
  g.read(0)
}
scenario "stopped" {
  kernel.no_such_function(1)
  g.read(0)
}
`,
  );
  assert.deepEqual(
    (await ask(client, document.uri)).map(({ position, label }) => [position.line, label]),
    [
      [5, '→ 0 · 1 × 2M assigned'],
      [8, '→ #VC(0x404) · 1 × 2M mapped'],
      [11, '→ trap'],
    ],
  );
  const nothing = await openMarked(client, `use patch "no-such-file.patch"\n${head}scenario "a" {\n  g.read(0)\n}\n`);
  assert.deepEqual(await ask(client, nothing.uri), []);
});

test('settings: outcomes alone, none at all, and a refresh when they change', async () => {
  const client = await startServer(lazy, { initializationOptions: { inlayHints: 'outcomes' } });
  const document = await openMarked(
    client,
    `${head}scenario "a" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n}\n`,
  );
  const labels = async () => (await ask(client, document.uri)).map(({ label }) => label);
  assert.deepEqual(await labels(), ['→ 0']);
  const refreshed = client.next(({ method }) => method === 'workspace/inlayHint/refresh', 'a refresh');
  client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { inlayHints: 'off' } } });
  await refreshed;
  assert.deepEqual(await labels(), []);
  client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { inlayHints: 'nonsense' } } });
  assert.deepEqual(await labels(), []);
  client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { inlayHints: 'changes' } } });
  assert.deepEqual(await labels(), ['→ 0 · 1 × 2M assigned']);
});

test('tooltips are made when they are wanted', async () => {
  const client = await startServer(lazy);
  const document = await openMarked(
    client,
    `${head}scenario "a" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n}\n`,
  );
  const [hint] = await ask(client, document.uri);
  assert.equal(hint.tooltip, undefined);
  const resolved: InlayHint = await client.request('inlayHint/resolve', hint);
  const tooltip = resolved.tooltip as { kind: string; value: string };
  assert.equal(tooltip.kind, 'markdown');
  assert.match(tooltip.value, /0x40000\.\.0x40200.*hypervisor.*asid 1 · 2M · not validated/);
  // A hint of a text that is gone stays as it is.
  client.replace(document.uri, 2, document.text.replace('2M', '4M'));
  assert.equal((await client.request('inlayHint/resolve', hint)).tooltip, undefined);
  assert.equal((await client.ask('inlayHint/resolve', { ...hint, data: 3 })).error?.code, -32602);
});

test('a client that cannot ask for tooltips gets them along', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "a" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n}\n`,
  );
  const [hint] = await ask(client, document.uri);
  assert.deepEqual(hint.tooltip, {
    kind: 'plaintext',
    value: [
      '→ 0',
      '',
      '- 1 × 2M assigned · pfn 0x40000..0x40200',
      '- 512 gfns private · gfn 0x0..0x200',
      '- 512 pages out of the direct map · pfn 0x40000..0x40200',
      '- 512 pages back in the direct map · pfn 0x40000..0x40200',
    ].join('\n'),
  });
});

test('after an edit, hints are of the text as it is; they need no verdict', async () => {
  const client = await startServer();
  const document = await openMarked(
    client,
    `${head}scenario "a" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  g.read(0)
}
`,
  );
  assert.equal((await ask(client, document.uri)).length, 3);
  for (let version = 2; version < 12; version++) {
    const size = version % 2 === 0 ? '4M' : '2M';
    client.replace(document.uri, version, document.text.replace('0..2M', `0..${size}`));
    const [first, second, third] = await ask(client, document.uri);
    assert.equal(first.label, size === '4M' ? '→ 0 · 2 × 2M assigned' : '→ 0 · 1 × 2M assigned');
    assert.equal(second.label, '→ 0 · 1 × 2M validated');
    assert.equal(third.label, '→ ok');
  }
});

test('a C file in use that changes makes the client ask again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'snp-hints-'));
  try {
    const path = join(folder, 'own.c');
    writeFileSync(path, 'int own(void)\n{\n\treturn 0;\n}\n');
    const client = await startServer(lazy);
    const uri = pathToFileURL(join(folder, 'a.snpscenario')).href;
    await openMarked(client, `use source "own.c"\n${head}scenario "a" {\n  kernel.own() => any\n}\n`, uri);
    const label = async () => (await ask(client, uri)).map(({ label }) => label);
    assert.deepEqual(await label(), ['→ 0']);
    const c = pathToFileURL(path).href;
    const refreshed = client.next(({ method }) => method === 'workspace/inlayHint/refresh', 'a refresh');
    client.open(c, 'int own(void)\n{\n\treturn -22;\n}\n', 'c');
    await refreshed;
    assert.deepEqual(await label(), ['→ EINVAL']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a scenario that runs for long holds up nobody, and edits end the wait', async () => {
  const client = await startServer();
  const uri = 'file:///features/long.snpscenario';
  const text = `${head}scenario "a" {
  for a in 0..100 {
    vmm.set_memory_attributes(g, 4K..60M, PRIVATE) => any
    vmm.set_memory_attributes(g, 4K..60M, SHARED) => any
  }
  g.read(0) => any
}
`;
  client.open(uri, text);
  const hints = client.ask('textDocument/inlayHint', { textDocument: { uri }, range: whole });
  const position = { line: 0, character: 6 };
  assert.ok(await client.request('textDocument/hover', { textDocument: { uri }, position }));
  client.replace(uri, 2, text.replace('0..100', '0..101'));
  assert.equal((await hints).error?.code, -32801);
  // Asked for and not waited for to the end: what is known comes, and the rest is worth another question.
  const some = await ask(client, uri);
  assert.match(String(some[0].label), /^→ 0 · /);
});
