// The simulator's side of the RMPUPDATE benchmark, see rmpupdate.c: the same operations, the same output. Bundled as the product is, because
// a bundle's constants are constants to V8 and a module's imports are not.
//
//   rmpupdate-run PATTERN REPEATS [trace]
import { Journal } from '../../engine/base/journal.ts';
import { Hardware } from '../../engine/hardware/machine.ts';
import { Trace } from '../../engine/trace/trace.ts';

const PAGES = 262_144;
/** The history of a run grows with it; here it is dropped every so many operations, so that the instruction is measured and not malloc. */
const STEP = 8192;

class NoTrace extends Trace {
  override record(): number {
    return -1;
  }
}

function run(hw: Hardware, pattern: number, repeat: number): number {
  let failures = 0;
  let x = repeat;
  const assign = ~repeat & 1;
  for (let from = 0; from < PAGES; from += STEP) {
    hw.journal.forget();
    hw.trace.truncate(0);
    const end = from + STEP;
    if (pattern === 0) {
      for (let pfn = from; pfn < end; pfn++) {
        const gpa = assign !== 0 ? (pfn + 256) * 4096 : 0;
        if (hw.rmpupdate(pfn * 4096, gpa, assign, 0, 0, assign) !== 0) failures++;
      }
    } else if (pattern === 1) {
      for (let i = from; i < end; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        const pfn = (x >>> 8) % PAGES;
        const way = x >>> 31;
        const gpa = way !== 0 ? (pfn + 256) * 4096 : 0;
        if (hw.rmpupdate(pfn * 4096, gpa, way, 0, 0, way) !== 0) failures++;
      }
    } else {
      for (let pfn = from; pfn < end; pfn += 512) {
        const gpa = assign !== 0 ? (pfn + 512) * 4096 : 0;
        if (hw.rmpupdate(pfn * 4096, gpa, assign, 1, 0, assign) !== 0) failures++;
      }
    }
  }
  return failures;
}

function checksum(hw: Hardware): string {
  let hash = 2166136261;
  const add = (word: number) => {
    hash = Math.imul(hash ^ word, 16777619);
  };
  for (let pfn = 0; pfn < PAGES; pfn++) for (let n = 0; n < 4; n++) add(hw.rmp.word(pfn, n));
  add(hw.rmp.asidPages[1]);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const [pattern, repeats] = process.argv.slice(2).map(Number);
const trace = process.argv[4] === 'trace' ? new Trace() : new NoTrace();
const hw = new Hardware({ memoryBytes: 2 ** 40, cpus: 1 }, new Journal(), trace);
const operations = pattern === 2 ? PAGES / 512 : PAGES;
let failures = 0;
for (let repeat = 0; repeat < repeats; repeat++) {
  const start = process.hrtime.bigint();
  failures += run(hw, pattern, repeat);
  console.log((Number(process.hrtime.bigint() - start) / operations).toFixed(4));
}
console.log(`${checksum(hw)} ${failures}`);
