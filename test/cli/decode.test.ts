// `snp-scenario decode` as a process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';

const cli = resolve(import.meta.dirname, '../../server/node/cli.ts');

function run(args: readonly string[], input = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [cli, 'decode', ...args], { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code) => done({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

test('an entry as an argument, field by field', async () => {
  const { code, stdout } = await run(['[0x6010fffffffff001 - 0x1f]']);
  assert.equal(code, 0);
  assert.match(stdout, /^\[0x6010fffffffff001 - 0x1f\]\n\n {2}GUEST_VALID: asid 2/);
  assert.match(stdout, /^ {2}VMPL0 +0x1f +rwxXs/m);
});

test('an entry that a shell has split', async () => {
  const { code, stdout } = await run(['--short', '[0x6010fffffffff001', '-', '0x1f]']);
  assert.equal(code, 0);
  assert.match(stdout, /GUEST_VALID/);
});

test('a log on stdin: what is recognised, in order, and nothing else', async () => {
  const log = [
    '[    0.1] Linux version 6.12',
    '[   12.3] SEV-SNP: RMPUPDATE failed for PFN 56700, pg_level: 1, ret: 2',
    '[   12.3] SEV-SNP: PFN 0x56700 unassigned, dumping non-zero entries in 2M PFN region: [0x56600 - 0x56800]',
    '[   12.3] SEV-SNP: PFN: 0x56600, [0x80000000000007fd - 0x0000000000000000]',
  ];
  const { code, stdout } = await run(['--short'], log.join('\r\n'));
  assert.equal(code, 0);
  assert.deepEqual(
    stdout.split('\n').filter((line) => line.startsWith('  ')),
    [
      '  RMPUPDATE at PFN 0x56700: FAIL_PERMISSION',
      '  PFN 0x56700 is hypervisor-owned: its own entry is no reason for a fault; the region’s entries follow',
      '  PFN 0x56600: FIRMWARE: firmware · 4K · immutable · locked · subpage count 255',
    ],
  );
});

test('JSON', async () => {
  const { code, stdout } = await run(['--format', 'json'], 'x [0x4 - 0x0]\n');
  assert.equal(code, 0);
  const [one, ...more] = JSON.parse(stdout);
  assert.deepEqual(more, []);
  assert.equal(one.text, '[0x4 - 0x0]');
  assert.deepEqual(one.fields.at(-1), {
    field: 'state',
    value: 'HV_FIXED',
    meaning: 'Assigned=0, Immutable=1: hypervisor-owned for good.',
  });
});

test('nothing to decode is 1, and an empty array', async () => {
  assert.deepEqual(await run(['--format', 'json'], 'nothing\n'), { code: 1, stdout: '[]\n', stderr: '' });
  assert.equal((await run([], '')).code, 1);
});

test('a wrong option is 2', async () => assert.equal((await run(['--format', 'xml'])).code, 2));
