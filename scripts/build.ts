// npm run build / npm run watch: bundles what VS Code and the command line run, with esbuild.
//
//   dist/client/extension.cjs   the extension, loaded by VS Code (which provides `vscode`)
//   dist/server/main.js         the language server, a process of its own: turns the compile cache on, then loads
//   dist/server/language-server.js
//   dist/debug/adapter.js       the debug adapter, loaded by the extension when a session starts
//   dist/cli/snp-scenario.mjs   the command line
//   dist/web/extension.js       the extension for a browser, with server.js: the language server's worker and the debug adapter
//   dist/map/map.js, map.css    the memory map's page, loaded by a webview
//
//   dist/third-party-notices.txt  the licences of the packages inside them
//
// --production minifies. Source maps are written beside the bundles and are not packaged.

import { existsSync, watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { generate } from './generate.ts';
import { root } from './lib/toolchain.mjs';

/** VS Code 1.100, the oldest that package.json accepts, runs extensions and servers on Node 20. */
const target = 'node20';
/** … and webviews on Chromium 132. */
const browserTarget = 'chrome130';

interface Bundle {
  readonly entry: string;
  readonly outfile: string;
  readonly format: 'cjs' | 'esm' | 'iife';
  /** Where it runs, if not in Node. */
  readonly platform?: 'browser';
  readonly external?: readonly string[];
  readonly banner?: string;
}

const bundles: readonly Bundle[] = [
  { entry: 'client/src/extension.ts', outfile: 'dist/client/extension.cjs', format: 'cjs', external: ['vscode'] },
  { entry: 'server/node/main.ts', outfile: 'dist/server/language-server.js', format: 'cjs' },
  { entry: 'server/dap/node/inline.ts', outfile: 'dist/debug/adapter.js', format: 'cjs' },
  {
    entry: 'server/node/cli.ts',
    outfile: 'dist/cli/snp-scenario.mjs',
    format: 'esm',
    // Dependencies in CommonJS call require() for Node's own modules; an ES module has none until it makes one.
    // Under a name that no module has: in a bundle that is not minified they are all in one scope.
    banner:
      "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
  {
    entry: 'client/src/extension-web.ts',
    outfile: 'dist/web/extension.js',
    format: 'cjs',
    platform: 'browser',
    external: ['vscode'],
  },
  { entry: 'server/browser/main.ts', outfile: 'dist/web/server.js', format: 'iife', platform: 'browser' },
  { entry: 'client/webview/map/main.ts', outfile: 'dist/map/map.js', format: 'esm', platform: 'browser' },
  { entry: 'client/webview/map/map.css', outfile: 'dist/map/map.css', format: 'esm', platform: 'browser' },
];

function options(bundle: Bundle, production: boolean): esbuild.BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundle.outfile,
    bundle: true,
    platform: bundle.platform ?? 'node',
    target: bundle.platform === 'browser' ? browserTarget : target,
    format: bundle.format,
    external: [...(bundle.external ?? [])],
    banner: bundle.banner ? { js: bundle.banner } : {},
    minify: production,
    // 'external' writes the map without a comment in the bundle that would name a file we do not ship.
    sourcemap: production ? 'external' : 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    // What needs its own place asks for either module system's.
    logOverride: { 'empty-import-meta': 'silent' },
    mainFields: ['module', 'main'],
    metafile: true,
  };
}

/** esbuild's options for one of the bundles above. @param outfile as listed there */
export function bundleOptions(outfile: string, production: boolean): esbuild.BuildOptions {
  const bundle = bundles.find((one) => one.outfile === outfile);
  if (!bundle) throw new Error(`no such bundle: ${outfile}`);
  return options(bundle, production);
}

async function prepare(): Promise<readonly Bundle[]> {
  await generate();
  await mkdir(join(root, 'dist'), { recursive: true });
  // package.json says "module" for the repository; the .js bundles are CommonJS.
  await writeFile(join(root, 'dist', 'package.json'), '{ "type": "commonjs" }\n');
  // A module can only be cached if it is loaded after the cache was turned on. It saves a third of the way to the first verdict.
  await mkdir(join(root, 'dist', 'server'), { recursive: true });
  await writeFile(
    join(root, 'dist', 'server', 'main.js'),
    "require('node:module').enableCompileCache?.();\nrequire('./language-server.js');\n",
  );
  return bundles.filter((bundle) => {
    if (existsSync(join(root, bundle.entry))) return true;
    console.error(`${bundle.entry} does not exist: ${bundle.outfile} is not built`);
    return false;
  });
}

/** Builds every bundle. Throws esbuild's failure, whose messages it has printed. */
export async function build(production: boolean): Promise<void> {
  const inputs: string[] = [];
  for (const bundle of await prepare()) {
    const { metafile } = await esbuild.build(options(bundle, production));
    inputs.push(...Object.keys(metafile?.inputs ?? {}));
  }
  await writeFile(join(root, 'dist', 'third-party-notices.txt'), await notices(inputs));
}

/** The licence of every npm package that one of the files belongs to. Throws when a package has none: it could not be shipped. */
async function notices(files: readonly string[]): Promise<string> {
  const folders = new Set<string>();
  for (const file of files) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
    if (folder) folders.add(folder);
  }
  const sections: string[] = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const licence = (await readdir(join(root, folder))).find((file) => /^licen[cs]e/i.test(file));
    if (!licence) throw new Error(`${name} has no licence file`);
    const text = await readFile(join(root, folder, licence), 'utf8');
    sections.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return `SNP Scenario includes these packages.\n\n${sections.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

async function watchAll(): Promise<void> {
  for (const bundle of await prepare()) await (await esbuild.context(options(bundle, false))).watch();
  // esbuild watches engine/generated; what that is made from is watched here.
  let pending: NodeJS.Timeout | undefined;
  const regenerate = () => {
    clearTimeout(pending);
    pending = setTimeout(() => generate().catch((error) => console.error(String(error))), 50);
  };
  for (const folder of ['engine/models', 'engine/scenario']) watch(join(root, folder), { recursive: true }, regenerate);
  console.log('watching; Ctrl-C ends');
}

if (import.meta.main) {
  const flags = process.argv.slice(2);
  try {
    await (flags.includes('--watch') ? watchAll() : build(flags.includes('--production')));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
