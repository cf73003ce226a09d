#!/usr/bin/env node
// The `snp-scenario` command. Installed from a package it runs the bundle that came with it. In a clone of the repository it first
// brings the bundle up to date with the sources, installing npm packages if need be, so that `npx snp-scenario check examples`
// answers for the code as it stands. Everything it says about that goes to stderr.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bundle = join(root, 'dist', 'cli', 'snp-scenario.mjs');

/** The newest change below a folder, in ms since 1970. */
function newest(/** @type {string} */ folder) {
  let latest = 0;
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const status = statSync(join(folder, path));
    if (status.isFile()) latest = Math.max(latest, status.mtimeMs);
  }
  return latest;
}

const isClone = existsSync(join(root, 'scripts', 'build.ts'));
const isStale = () =>
  !existsSync(bundle) || ['engine', 'server'].some((folder) => newest(join(root, folder)) > statSync(bundle).mtimeMs);

if (isClone && isStale()) {
  const { ensureInstalled, pinnedNode } = await import('../scripts/lib/toolchain.mjs');
  ensureInstalled({ quiet: true });
  const built = spawnSync(pinnedNode, [join(root, 'scripts', 'build.ts'), '--production'], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(3);
}
// Only what is loaded from here on can be cached: a third less to wait for.
module.enableCompileCache?.();
await import(pathToFileURL(bundle).href);
