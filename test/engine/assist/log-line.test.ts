// Log lines taken apart. The lines of logs.txt are of real machines, or of the forms that kernels print; logs.decoded.txt is what we make of them.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodedBlocks } from '../../../engine/assist/decoded-blocks.ts';
import { decodeAt, decodeText } from '../../../engine/assist/log-line.ts';
import { toPlain } from '../../../engine/assist/prose.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

test('every line of the collection decodes as written down', () => {
  const text = read('logs.txt')
    .trimEnd()
    .split('\n')
    .map((line) =>
      [line, ...decodeText(line).map((one) => toPlain(decodedBlocks(one)).replace(/^(?=.)/gm, '    '))].join('\n'),
    )
    .join('\n\n');
  const path = join(import.meta.dirname, 'logs.decoded.txt');
  if (process.env.UPDATE_EXPECT) writeFileSync(path, `${text}\n`);
  assert.ok(existsSync(path), 'UPDATE_EXPECT=1 writes it');
  assert.equal(`${text}\n`, read('logs.decoded.txt'));
});

/** Fields by name. */
function fieldsOf(line: string): Record<string, string> {
  const [decoded, ...more] = decodeText(line);
  assert.ok(decoded, `nothing was recognised in ${line}`);
  assert.deepEqual(more, []);
  return Object.fromEntries(decoded.rows.map(({ field, value }) => [field, value]));
}

function has(line: string, wanted: Record<string, string>): void {
  const found = fieldsOf(line);
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((key) => [key, found[key]])), wanted);
}

test('an in-use VMSA', () =>
  has('SEV-SNP: PFN 0x78d198, RMP entry: [0xfff0000000144001 - 0x000000000000000f]', {
    PFN: '0x78d198',
    Assigned: '1',
    Page_Size: '0',
    Immutable: '0',
    subpage_count: '0',
    GPA: '0x144000',
    ASID: '1022',
    VMSA: '1',
    Validated: '1',
    lock: '1',
    VMPL0: '0xf',
  }));

test('the initial VMSA, with supervisor shadow stack', () =>
  has('SEV-SNP: PFN 0x40fdf36, RMP entry: [0x6010fffffffff001 - 0x000000000000001f]', {
    GPA: '0xfffffffff000',
    ASID: '2',
    VMSA: '1',
    Validated: '1',
    lock: '0',
    VMPL0: '0x1f',
  }));

test('a high quadword that somebody has left out stays unknown', () => {
  const fields = fieldsOf('PFN: 0x56600, [0x80000000000007fd - ...]');
  assert.equal(fields.subpage_count, '255');
  assert.equal(fields.state, 'FIRMWARE');
  assert.equal(fields.lock, '1');
  assert.ok(!('VMPL0' in fields));
});

test('a firmware page in its shortest form', () =>
  has('[0x8000000000000005 - 0x0]', { state: 'FIRMWARE', Assigned: '1', Immutable: '1', lock: '1' }));

test('the gpa of the RFC series is a frame number', () =>
  has('RMPEntry paddr 0x1001ea000 [assigned=1 immutable=1 pagesize=0 gpa=0x2000000001 asid=0 vmsa=0 validated=0]', {
    PFN: '0x1001ea',
    state: 'FIRMWARE_IOMMU',
    gpa: '0x2000000001',
  }));

test('the retry limit of older trees counts the CPUs', () => {
  const [decoded] = decodeText(
    'SEV-SNP: rmpupdate failed, ret: 4, pfn: 37d4fe8, npages: 1, level: 1, retrying (max: 96)...',
  );
  assert.match(decoded.summary, /FAIL_OVERLAP/);
  assert.match(decoded.rows.find(({ field }) => field === 'max')?.meaning ?? '', /48/);
});

test('code and ASID, which one message has mixed up, are put right', () =>
  has('RMPUPDATE retry needed, ASID: 4, ret: 1, pfn: 40010, npages: 1, level: 1, assigned: 1, attempts: 1 (max: 8)', {
    ret: '4',
    ASID: '1',
  }));

test('the bits of a #PF error code beyond 2^31', () => {
  const [decoded] = decodeText('#PF: error_code(0x80000003) - RMP violation');
  assert.deepEqual(
    decoded.rows.slice(1).map(({ field }) => field),
    ['P', 'W', 'RMP'],
  );
});

test('two entries in one line are two', () =>
  assert.deepEqual(
    decodeText('  before [0x1 - 0x0] after [0x4 - 0x0]').map(({ start, end }) => [start, end]),
    [
      [9, 20],
      [27, 38],
    ],
  ));

test('what stands at an offset, and what does not', () => {
  const text = 'a line\nat [0x4 - 0x0] here\nanother';
  const at = (word: string): string | undefined => decodeAt(text, text.indexOf(word))?.summary;
  assert.match(at('0x4') ?? '', /HV_FIXED/);
  assert.equal(at('here'), undefined);
  assert.equal(at('another'), undefined);
});

test('ranges of addresses are no entries', () => {
  for (const line of ['[mem 0x0000000000000000-0x000000000009ffff]', 'some range [0x1000 - 0x2000]', '[1 - 2]'])
    assert.deepEqual(decodeText(line), [], line);
});

test('any text is decoded without an exception, and what is found lies in it in order', () => {
  const piece = fc.oneof(
    fc.constantFrom(...read('logs.txt').split('\n')),
    fc.string(),
    fc.constantFrom('[0x', '0xffffffffffffffffffff', ' - ', ']', 'PFN ', '\n', '\r', ', ret: ', '-9999999999'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const text = pieces.join('');
      let last = 0;
      for (const { start, end } of decodeText(text)) {
        assert.ok(start >= last && end > start && end <= text.length);
        last = end;
      }
      for (let i = 0; i <= text.length; i += 7) decodeAt(text, i);
    }),
  );
});

test('a very long line costs no more than its beginning', () => {
  const decoded = decodeText(`[0x4 - 0x0] ${'PFN 0x'.repeat(1e6)}`);
  assert.equal(decoded.length, 1);
});
