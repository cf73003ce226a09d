// `snp-scenario format` as a process.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const cli = resolve(import.meta.dirname, 'fake-cli.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snp-format-'));
  mkdirSync(join(folder, 'tree'));
  writeFileSync(join(folder, 'tree/good.snpscenario'), 'host {\n  memory 4G\n}\n');
  writeFileSync(join(folder, 'tree/bad.snpscenario'), '\ufeffhost{\r\nmemory 4G\r\n}');
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(args: string[], input = ''): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'format', ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

test('files are formatted in place, and named', () => {
  assert.deepEqual(run(['tree']), { code: 0, stdout: 'formatted tree/bad.snpscenario\n', stderr: '' });
  assert.equal(readFileSync(join(folder, 'tree/bad.snpscenario'), 'utf8'), '\ufeffhost {\r\n  memory 4G\r\n}\r\n');
  assert.deepEqual(run(['tree']), { code: 0, stdout: '', stderr: '' });
});

test('--check changes nothing', () => {
  const before = readFileSync(join(folder, 'tree/bad.snpscenario'), 'utf8');
  assert.deepEqual(run(['--check', 'tree']), { code: 1, stdout: 'not formatted tree/bad.snpscenario\n', stderr: '' });
  assert.equal(readFileSync(join(folder, 'tree/bad.snpscenario'), 'utf8'), before);
  assert.equal(run(['--check', 'tree/good.snpscenario']).code, 0);
});

test('stdin to stdout', () => {
  assert.deepEqual(run(['-'], 'host{\n}'), { code: 0, stdout: 'host {\n}\n', stderr: '' });
  assert.equal(run(['-', '--check'], 'host{\n}').code, 1);
  assert.equal(run(['-', 'tree']).code, 2);
});

test('what cannot be read does not keep the rest from being formatted', () => {
  const { code, stdout, stderr } = run(['none.snpscenario', 'tree']);
  assert.equal(code, 2);
  assert.equal(stdout, 'formatted tree/bad.snpscenario\n');
  assert.match(stderr, /none\.snpscenario: cannot be read: no such file/);
});
