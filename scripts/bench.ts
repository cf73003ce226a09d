// npm run bench [NAME…]: runs every *.bench.ts of test/bench one after the other, each in a process of its own with the machine named above its
// figures. Timings are shown, never tested: a benchmark exits non-zero only when it could not measure.

import { arch, cpus, release, totalmem, type } from 'node:os';
import { basename, join } from 'node:path';
import { glob } from 'tinyglobby';
import { build } from './build.ts';
import { run } from './lib/process.ts';
import { root } from './lib/toolchain.mjs';

const names = process.argv.slice(2);
const files = (await glob(['test/bench/**/*.bench.ts', 'bench/**/*.bench.ts'], { cwd: root }))
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
  .sort();
if (files.length === 0) {
  console.error(`no benchmark${names.length ? ` named ${names.join(' or ')}` : ''} in test/bench`);
  process.exit(2);
}

try {
  await build(true);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const processors = cpus();
const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
console.log(
  `${processors[0]?.model.trim()} × ${processors.length}, ${memory}, ${type()} ${release()} ${arch()}, Node ${process.version}`,
);
let failed = 0;
for (const file of files) {
  console.log(`\n${basename(file, '.bench.ts')}`);
  if ((await run(process.execPath, ['--expose-gc', join(root, file)])) !== 0) failed++;
}
process.exitCode = failed ? 1 : 0;
