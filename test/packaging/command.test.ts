// The `snp-scenario` command of a clone: bin/snp-scenario.mjs, which brings its bundle up to date and runs it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as esbuild from 'esbuild';
import { bundleOptions } from '../../scripts/build.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const said = (file: string) => execFileSync(process.execPath, [file, '--version'], { encoding: 'utf8' });

test('snp-scenario --version is that of the package', () => {
  assert.match(said(join(root, 'bin', 'snp-scenario.mjs')), new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`));
});

for (const production of [true, false]) {
  test(`the command's bundle runs, ${production ? '' : 'not '}minified`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'snp-scenario-command-'));
    t.after(() => rm(folder, { recursive: true }));
    const outfile = join(folder, 'snp-scenario.mjs');
    await esbuild.build({ ...bundleOptions('dist/cli/snp-scenario.mjs', production), outfile, sourcemap: false });
    assert.match(said(outfile), new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`));
  });
}
