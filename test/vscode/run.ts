// node scripts/run.mjs ../test/vscode/run.ts: runs test/vscode/suite in a real VS Code.
//
//   --installed FILE.vsix   test the packaged extension, installed, in place of the working tree
//   --backend=NAME          electron or code-server; without it the first that this machine can run
//   --grep=TEXT             only the tests whose title contains it
//   --browser               the extension for browsers, in the workbench's web worker: test/vscode/web in place of test/vscode/suite
//
// Ends with mocha's report, a line `N passed, N failed`, and exit code 1 when a test failed or none ran.
// Pictures that the tests ask for, and everything VS Code says, go to test/vscode/out/screenshots/{tree,installed,browser}.

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import { root } from '../../scripts/lib/toolchain.mjs';
import { removeDataDir } from '../../scripts/lib/vscode-host.ts';
import type { Backend } from './launcher/backend.ts';
import { electronBackend } from './launcher/electron.ts';
import { webBackend } from './launcher/web.ts';

const here = import.meta.dirname;
const out = join(here, 'out');

const { values: options } = parseArgs({
  options: {
    installed: { type: 'string' },
    backend: { type: 'string' },
    grep: { type: 'string' },
    browser: { type: 'boolean' },
  },
});

/** One CommonJS file that exports run(), with mocha left to be found in node_modules. */
async function bundleSuite(): Promise<string> {
  const files = (await readdir(join(here, 'suite'))).filter((name) => name.endsWith('.test.ts')).sort();
  const outfile = join(out, 'suite.cjs');
  await esbuild.build({
    stdin: {
      contents: [
        `import { runSuites } from './index.ts';`,
        `export const run = () => runSuites([${files.map((name) => `() => import('./${name}')`).join(', ')}]);`,
      ].join('\n'),
      resolveDir: join(here, 'suite'),
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return outfile;
}

/** The extension as a browser sees it: without its entry for Node, which the workbench would prefer. */
async function makeWebExtension(): Promise<string> {
  const folder = join(out, 'web-extension');
  await rm(folder, { recursive: true, force: true });
  for (const part of ['client', 'dist', 'docs']) await cp(join(root, part), join(folder, part), { recursive: true });
  const {
    main: _,
    extensionKind: __,
    type: ___,
    ...manifest
  } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}

/** The suite for a web worker's extension host: no Node, no mocha. It has to stand in the extension's folder to be run where the extension runs. */
async function bundleWebSuite(extension: string, prefix: string): Promise<string> {
  const outfile = join(extension, 'web-suite.js');
  await esbuild.build({
    entryPoints: [join(here, 'web', 'index.ts')],
    outfile,
    bundle: true,
    platform: 'browser',
    format: 'cjs',
    target: 'chrome130',
    external: ['vscode'],
    define: { SNP_TEST_PREFIX: JSON.stringify(prefix) },
    logLevel: 'warning',
  });
  return outfile;
}

/** A copy of the workspace, with the repository's examples in it: tests may edit what they like. */
async function makeWorkspace(folder: string): Promise<string> {
  const workspace = join(folder, 'workspace');
  await cp(join(here, 'workspace'), workspace, { recursive: true });
  const examples = join(root, 'examples');
  if (existsSync(examples)) await cp(examples, join(workspace, 'examples'), { recursive: true });
  // The patch that the tests run as it was mailed is not ours to ship: SNP_PATCH_DIR says where it is.
  const patches = process.env.SNP_PATCH_DIR;
  if (patches) {
    for (const name of await readdir(patches)) {
      if (/\.(patch|mbox|mbox\.txt)$/.test(name)) await cp(join(patches, name), join(workspace, name));
    }
  }
  return workspace;
}

async function chooseBackend(): Promise<Backend> {
  if (options.backend === 'code-server' || options.browser) return webBackend();
  const electron = await electronBackend();
  if (electron) return electron;
  if (options.backend === 'electron') throw new Error('desktop VS Code cannot be run here: no display, or no download');
  return webBackend();
}

const backend = await chooseBackend();
const prefix = 'TEST| ';
const webExtension = options.browser ? await makeWebExtension() : undefined;
const suite = webExtension ? await bundleWebSuite(webExtension, prefix) : await bundleSuite();
const screenshots = join(out, 'screenshots', options.browser ? 'browser' : options.installed ? 'installed' : 'tree');
await rm(screenshots, { recursive: true, force: true });
await mkdir(screenshots, { recursive: true });
const temporary = await mkdtemp(join(tmpdir(), 'snp-scenario-vscode-'));
const log: string[] = [];
let counted = false;
let code: number;
try {
  console.log(`${backend.name}: the ${options.installed ? 'installed VSIX' : 'working tree'}`);
  code = await backend.run({
    extension: webExtension ? webExtension : options.installed ? join(here, 'test-extension') : root,
    suite,
    workspace: await makeWorkspace(temporary),
    dataDir: join(temporary, 'data'),
    install: options.installed ? [resolve(options.installed)] : [],
    env: {
      SNP_SCREENSHOT_DIR: screenshots,
      ...(backend.name === 'VS Code' ? {} : { SNP_TEST_PREFIX: prefix }),
      ...(options.grep ? { SNP_TEST_GREP: options.grep } : {}),
    },
    screenshots,
    onLog: (line) => {
      log.push(line);
      if (!line.startsWith(prefix)) return;
      const said: string = line.slice(prefix.length);
      counted ||= /^[1-9]\d* passed, \d+ failed$/.test(said);
      console.log(said);
    },
  });
} finally {
  await removeDataDir(temporary);
  await writeFile(join(screenshots, 'console.log'), `${log.join('\n')}\n`);
}
// A suite that ended without saying how many tests ran has not passed, whatever its exit code. (Desktop VS Code prints by itself.)
if (!counted && backend.name !== 'VS Code') {
  console.error(
    `The suite ended without a count of its tests; what VS Code said is in ${join(screenshots, 'console.log')}`,
  );
  if (code === 0) code = 1;
}
process.exitCode = code === 0 ? 0 : 1;
