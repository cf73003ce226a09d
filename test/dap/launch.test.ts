// What `launch` takes: options of hardware and kernel model over those of the file; each in the schema of launch.json; what is wrong said in words.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launchOptionRows, launchOptions } from '../../engine/debug/launch-options.ts';
import { kernelModels } from '../../engine/models/model.ts';
import { DebugClient, type Json, killLeftovers, root } from './client.ts';
import { head, workspace } from './fixtures.ts';

const files = workspace({
  'two.snpscenario': `${head().replace('cpus 2', 'cpus 2\n  option rmpupdate-malformed-unassign = fail-permission')}
scenario "an unassigned page with an ASID" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K)
}
scenario "beyond" {
  expect rmp(g, 0) is hypervisor
}
`,
});
after(async () => {
  await killLeftovers();
  files.remove();
});
const program = files.file('two.snpscenario');

async function refused(args: Json): Promise<string> {
  const client = new DebugClient();
  await client.request('initialize', { adapterID: 'x' });
  const words = await client.refusal('launch', { program, ...args });
  assert.equal(await client.disconnect(), 0);
  return words;
}

test('options of launch hold over those of the file', async () => {
  const codes: [Json, RegExp][] = [
    [undefined, /FAIL_PERMISSION/],
    [{ 'rmpupdate-malformed-unassign': 'fail-input' }, /FAIL_INPUT/],
    [{ 'rmpupdate-strict-input': 'off' }, /^"an unassigned page/],
    [{ 'rmpupdate-strict-input': false }, /^"an unassigned page/],
  ];
  for (const [options, expected] of codes) {
    const client = new DebugClient();
    await client.launch({ program, ...(options === undefined ? {} : { options }) });
    await client.request('setExceptionBreakpoints', { filters: ['rule:OUTCOME'] });
    const stop = await client.start();
    const words = stop.reason === 'end' ? (await client.event('output')).output : stop.text;
    assert.match(words, expected, JSON.stringify(options));
    assert.equal(await client.disconnect(), 0);
  }
});

test('what is wrong with options is said, all of it', async () => {
  assert.match(
    await refused({ options: { 'sizem-on-plain-acces': true } }),
    /no option `sizem-on-plain-acces`.*Did you mean `sizem-on-plain-access`/,
  );
  const two = await refused({ options: { 'psmash-badaddr-code': 5, 'page-reclaim-status': -1, 'guest-tlb': 1 } });
  assert.deepEqual(
    two.split('\n').map((line) => line.replace(/\. .*/, '.')),
    [
      '`psmash-badaddr-code` is 7 or 4.',
      '`page-reclaim-status` is a number from 0 to 65535.',
      '`guest-tlb` is true or false.',
    ],
  );
  for (const options of [3, 'x', ['a'], null]) {
    if (options !== null) assert.match(await refused({ options }), /options must be an object/);
  }
  assert.match(await refused({ kernel: 'kvm-1.0' }), /no bundled kernel model "kvm-1.0". Bundled: /);
  assert.match(await refused({ kernel: 7 }), /kernel must be a text/);
  assert.match(await refused({ patches: 'a.patch' }), /patches must be a list of texts/);
  assert.match(await refused({ patches: ['nowhere.patch'] }), /nowhere.patch cannot be read/);
  assert.match(await refused({ scenario: 'three' }), /no scenario "three".*"beyond"/);
});

test('each option takes each of its values', () => {
  for (const row of launchOptionRows) {
    for (const value of row.values ?? [0, 1, 65535])
      assert.deepEqual(launchOptions({ [row.name]: value }), [{ name: row.name, value }]);
    for (const value of ['no such word', 0.5, [], {}, null])
      assert.ok('error' in launchOptions({ [row.name]: value }), `${row.name} ${JSON.stringify(value)}`);
  }
  assert.ok('error' in launchOptions(JSON.parse('{"__proto__": 1}')));
});

test('the schema of launch.json has what launch takes (UPDATE_EXPECT=1 writes it)', () => {
  const path = join(root, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const [debug] = manifest.contributes.debuggers;
  const { properties } = debug.configurationAttributes.launch;
  const options: Json = {
    type: 'object',
    description:
      'Options of the host, over those that the file sets: points that the manuals leave open, and what the kernel model is to do.',
    additionalProperties: false,
    properties: Object.fromEntries(
      launchOptionRows.map(({ name, doc, values, default: usual }) => [
        name,
        {
          ...(values === undefined
            ? { type: 'integer', minimum: 0, maximum: 65535 }
            : values.includes(true)
              ? { type: 'boolean' }
              : { enum: values }),
          default: usual,
          description: doc,
        },
      ]),
    ),
  };
  const models = kernelModels.map(({ name }) => name);
  if (process.env.UPDATE_EXPECT) {
    properties.options = options;
    properties.kernel = { ...properties.kernel, enum: models };
    writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
  }
  assert.deepEqual(properties.options, options);
  assert.deepEqual(properties.kernel.enum, models);
  assert.deepEqual(Object.keys(properties).sort(), [
    'kernel',
    'options',
    'patches',
    'program',
    'scenario',
    'sources',
    'stopAtEnd',
    'stopOnEntry',
  ]);
});
