// npm test: everything that must hold, in stages, each with its own output and time. A stage that fails does not hide the later ones,
// except those that need what it makes.
//
//   --only=STAGE,…   generate, typecheck, lint, build, unit, vscode, browser, installed
//   --unit=FOLDER    the unit tests below test/FOLDER only
//
// unit runs test/**/*.test.ts with Node's own runner; vscode runs test/vscode/suite in a real VS Code on the working tree, browser
// runs test/vscode/web in the workbench's web worker, installed runs the suite again with the packaged extension installed. Exit code 1 when anything failed.

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { glob } from 'tinyglobby';
import { build } from './build.ts';
import { generate } from './generate.ts';
import { capture, run } from './lib/process.ts';
import { root } from './lib/toolchain.mjs';
import { vsixPath } from './package.ts';

const { values: options } = parseArgs({ options: { only: { type: 'string' }, unit: { type: 'string' } } });

interface Stage {
  readonly name: string;
  readonly needs?: readonly string[];
  run(): Promise<boolean>;
}

const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const vscodeSuite = (args: readonly string[]) =>
  run(process.execPath, [join(root, 'test', 'vscode', 'run.ts'), ...args]);

const stages: readonly Stage[] = [
  {
    name: 'generate',
    run: async () => {
      const written = await generate();
      console.log(written.length ? `wrote ${written.join(', ')}` : 'up to date');
      return true;
    },
  },
  { name: 'typecheck', needs: ['generate'], run: typecheck },
  { name: 'lint', run: async () => (await run(bin('biome'), ['ci', '--colors=off'])) === 0 },
  {
    name: 'build',
    needs: ['generate'],
    run: async () => {
      await build(true);
      return true;
    },
  },
  { name: 'unit', needs: ['build'], run: unitTests },
  { name: 'vscode', needs: ['build'], run: async () => (await vscodeSuite([])) === 0 },
  { name: 'browser', needs: ['build'], run: async () => (await vscodeSuite(['--browser'])) === 0 },
  {
    name: 'installed',
    needs: ['build'],
    run: async () => {
      await rm(vsixPath(), { force: true });
      if ((await run(process.execPath, [join(root, 'scripts', 'package.ts')])) !== 0) return false;
      return (await vscodeSuite([`--installed=${vsixPath()}`])) === 0;
    },
  },
];

/** One program per tsconfig.json, side by side. */
async function typecheck(): Promise<boolean> {
  const parts = ['engine', '.', 'client', 'client/webview', 'test/vscode'].filter((part) =>
    existsSync(join(root, part, 'tsconfig.json')),
  );
  const results = await Promise.all(parts.map((part) => capture(bin('tsc'), ['--noEmit', '-p', part])));
  for (const [index, { code, output }] of results.entries()) {
    if (output.trim()) console.log(output.trim());
    console.log(`${parts[index]}/tsconfig.json: ${code === 0 ? 'ok' : 'errors'}`);
  }
  return results.every(({ code }) => code === 0);
}

async function unitTests(): Promise<boolean> {
  const folder = options.unit ? `test/${options.unit}` : 'test';
  const files = (await glob(`${folder}/**/*.test.ts`, { cwd: root, ignore: ['test/vscode/**'] })).sort();
  if (files.length === 0) {
    console.error(`no *.test.ts below ${folder}`);
    return false;
  }
  return (await run(process.execPath, ['--test', '--test-reporter=spec', ...files])) === 0;
}

const wanted = options.only?.split(',') ?? stages.map(({ name }) => name);
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length) throw new Error(`no such stage: ${unknown.join(', ')}`);

const results = new Map<string, { outcome: 'passed' | 'failed' | 'not run'; seconds: number }>();
for (const stage of stages.filter(({ name }) => wanted.includes(name))) {
  const missing = (stage.needs ?? []).filter((name) => (results.get(name)?.outcome ?? 'passed') !== 'passed');
  if (missing.length) {
    results.set(stage.name, { outcome: 'not run', seconds: 0 });
    continue;
  }
  console.log(`\n━━ ${stage.name}`);
  const start = performance.now();
  let passed = false;
  try {
    passed = await stage.run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  results.set(stage.name, { outcome: passed ? 'passed' : 'failed', seconds: (performance.now() - start) / 1000 });
}

console.log('\n━━ summary');
for (const [name, { outcome, seconds }] of results) {
  console.log(`${outcome.padEnd(8)}${name.padEnd(12)}${outcome === 'not run' ? '' : `${seconds.toFixed(1)} s`}`);
}
process.exitCode = [...results.values()].every(({ outcome }) => outcome === 'passed') ? 0 : 1;
