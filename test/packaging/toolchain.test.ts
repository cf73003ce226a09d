// The decision whether `npm ci` must run: made by comparing package-lock.json with what npm says it installed.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInstalled, root } from '../../scripts/lib/toolchain.mjs';

type Packages = Record<string, { version?: string; optional?: boolean }>;

async function folderWith(wanted: Packages, present?: Packages): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'snp-scenario-toolchain-'));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }));
  if (present) {
    await mkdir(join(folder, 'node_modules'));
    await writeFile(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }));
  }
  return folder;
}

const cases: [string, Packages, Packages | undefined, boolean][] = [
  ['nothing is installed', { 'node_modules/a': { version: '1.0.0' } }, undefined, false],
  ['all is installed', { 'node_modules/a': { version: '1.0.0' } }, { 'node_modules/a': { version: '1.0.0' } }, true],
  ['a version changed', { 'node_modules/a': { version: '1.1.0' } }, { 'node_modules/a': { version: '1.0.0' } }, false],
  [
    'a package is new',
    { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
    { 'node_modules/a': { version: '1.0.0' } },
    false,
  ],
  ["another platform's package is left out", { 'node_modules/a': { version: '1.0.0', optional: true } }, {}, true],
];

for (const [name, wanted, present, expected] of cases) {
  test(`${name}: ${expected ? 'nothing to do' : 'install'}`, async (t) => {
    const folder = await folderWith(wanted, present);
    t.after(() => rm(folder, { recursive: true }));
    assert.equal(isInstalled(folder), expected);
  });
}

test('this very clone is installed', () => assert.equal(isInstalled(root), true));
