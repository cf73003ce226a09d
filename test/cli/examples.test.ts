// The command line with the real engine: what the README promises, and the patch in place of the model.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { problems } from './schema.ts';

const root = resolve(import.meta.dirname, '../..');
const schema = JSON.parse(readFileSync(join(root, 'docs/json-report.schema.json'), 'utf8'));

function check(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(root, 'server/node/cli.ts'), 'check', ...args],
      { cwd: root, maxBuffer: 1 << 26 },
      (_, stdout) => done({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

async function verdicts(...args: string[]) {
  const { code, stdout } = await check('--format', 'json', ...args);
  const report = JSON.parse(stdout);
  assert.deepEqual(problems(schema, report), []);
  const statuses: Record<string, string> = {};
  for (const { path, scenarios } of report.files) {
    for (const { name, status } of scenarios) statuses[`${path} ${name}`] = status;
  }
  return { code, report, statuses };
}

test('every example holds', async () => {
  const { code, report, statuses } = await verdicts('examples');
  assert.ok(report.files.length >= 6);
  assert.deepEqual(new Set(Object.values(statuses)), new Set(['passed']), JSON.stringify(statuses, null, 1));
  assert.equal(
    code,
    0,
    JSON.stringify(report.files.flatMap(({ diagnostics }: { diagnostics: unknown[] }) => diagnostics)),
  );
});

test('every example holds with the patch in place of the model', async (t) => {
  const patches = process.env.SNP_PATCH_DIR;
  if (!patches) return t.skip('SNP_PATCH_DIR not set');
  const patch = readdirSync(patches).find((name) => name.startsWith('0048'));
  assert.ok(patch, `no patch 0048 in ${patches}`);
  const model = await verdicts('examples');
  const patched = await verdicts('--patch', join(patches, patch), 'examples');
  assert.deepEqual(patched.statuses, model.statuses);
  assert.equal(patched.code, 0);
});

test('the same input gives the same bytes', async () => {
  const [first, second] = await Promise.all([
    check('--format', 'json', 'examples'),
    check('--format', 'json', 'examples'),
  ]);
  assert.equal(first.stdout, second.stdout);
});
