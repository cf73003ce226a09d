// npm run bench [NAME…]: runs test/bench/*.bench.ts one after the other, each in a process of its own with the machine named above its
// figures. Timings are shown, never tested: a benchmark exits non-zero only when it could not measure.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { run } from './lib/process.ts';
import { root } from './lib/toolchain.mjs';

const names = process.argv.slice(2);
const folder = join(root, 'test', 'bench');
const files = existsSync(folder)
  ? (await readdir(folder))
      .filter((file) => file.endsWith('.bench.ts'))
      .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
      .sort()
  : [];
if (files.length === 0) {
  console.error(`no benchmark${names.length ? ` named ${names.join(' or ')}` : ''} in test/bench`);
  process.exit(2);
}

await build(true);
const processors = cpus();
const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
console.log(
  `${processors[0]?.model.trim()} × ${processors.length}, ${memory}, ${type()} ${release()} ${arch()}, Node ${process.version}`,
);
let failed = 0;
for (const file of files) {
  console.log(`\n${file.replace(/\.bench\.ts$/, '')}`);
  if ((await run(process.execPath, ['--expose-gc', join(folder, file)])) !== 0) failed++;
}
process.exitCode = failed ? 1 : 0;
