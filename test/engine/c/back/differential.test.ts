/**
 * Our C against GCC's: the same programs compiled by both must give the same numbers. The corpus is in `corpus/`; each `long t_…(void)` in it is
 * a test. Every operator over every pair of integer types is generated.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RANDOM_PRELUDE, randomFunction } from './random-c.ts';
import { program, run } from './run.ts';

const CORPUS = join(import.meta.dirname, 'corpus');
const read = (name: string) => readFileSync(join(CORPUS, name), 'utf8');
const prelude = read('prelude.h');

const TYPES = ['bool', 's8', 'u8', 's16', 'u16', 's32', 'u32', 's64', 'u64'] as const;
const OPERATORS = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '==', '!=', '<', '<=', '>', '>=', '&&', '||'];
const VALUES = [
  '0',
  '1',
  '-1',
  '3',
  '-100',
  '127',
  '-0x8000',
  '0xffff',
  '(-0x7fffffff-1)',
  '0xffffffffu',
  '0x20000000000001LL',
  '0x7fffffffffffffffLL',
  '0x8000000000000000ULL',
  '-0x123456789abcdefLL',
];

/** One function a pair of types: hashes the results of one operator over all pairs of values. */
function operatorFunction(a: string, b: string): string {
  const name = `op_${a}_${b}`.replace(/ /g, '_');
  const cases = OPERATORS.map((op, i) => {
    const guard =
      op === '/' || op === '%'
        ? 'if (y == 0 || (u64)(s64)y == -1ULL || (u32)y == -1u) break; '
        : op === '<<' || op === '>>'
          ? 'if ((s64)y < 0 || (u64)y >= sizeof(x + 0) * 8) break; '
          : '';
    return `case ${i}: ${guard}r = x ${op} y; break;`;
  });
  const compound = OPERATORS.slice(0, 10).map((op, i) => {
    const guard =
      op === '/' || op === '%'
        ? 'if (y == 0 || (u64)(s64)y == -1ULL || (u32)y == -1u) break; '
        : op === '<<' || op === '>>'
          ? 'if ((s64)y < 0 || (u64)y >= sizeof(x + 0) * 8) break; '
          : '';
    return `case ${i + OPERATORS.length}: ${guard}z = x; z ${op}= y; r = z; break;`;
  });
  return `u64 ${name}(int op) {
    u64 h = 0xcbf29ce484222325ULL, r;
    for (int i = 0; i < ${VALUES.length}; i++) for (int j = 0; j < ${VALUES.length}; j++) {
      ${a} x = values[i], z; ${b} y = values[j];
      r = 77;
      switch (op) { ${[...cases, ...compound].join(' ')} case 40: r = -x; break; case 41: r = ~x; break; case 42: r = !x; break; case 43: r = (${b})x; break; }
      h = (h ^ r) * 0x100000001b3ULL;
    }
    return h; }`;
}

const PAIRS = TYPES.flatMap((a) => TYPES.map((b) => [a, b] as const));
const operatorNames = PAIRS.map(([a, b]) => `op_${a}_${b}`.replace(/ /g, '_'));
const OPS = [...Array(28).keys(), 40, 41, 42, 43];
const operators = `static const u64 values[] = { ${VALUES.join(', ')} };\n${PAIRS.map(([a, b]) => operatorFunction(a, b)).join('\n')}\n`;

/** The same operators on constants, which the front end folds. */
const SMALL = ['0', '3', '-1', '0xffff', '(-0x7fffffff-1)', '0xffffffffu', '0x8000000000000000ULL'];
const folds = TYPES.flatMap((a) =>
  ['s32', 'u32', 's64', 'u64', 'u8'].map((b) => {
    const terms: string[] = [];
    for (const op of OPERATORS) {
      for (const x of SMALL) {
        for (const y of SMALL) {
          if ((op === '/' || op === '%') && !['3', '0xffff'].includes(y)) continue;
          if ((op === '<<' || op === '>>') && !['0', '3'].includes(y)) continue;
          terms.push(`h = (h ^ (u64)((${a})${x} ${op} (${b})${y})) * 0x100000001b3ULL;`);
        }
      }
    }
    return { name: `fold_${a}_${b}`.replace(/ /g, '_'), body: terms.join('\n') };
  }),
);

/** Random programs; a higher number of them is a matter of patience (`RANDOM_C=5000`). */
const RANDOM = Array.from({ length: Number(process.env.RANDOM_C ?? 120) }, (_, i) => i + 1);
const RANDOM_ARGUMENTS = [
  [0n, 0],
  [0xfedcba9876543210n, -7],
] as const;
const random = RANDOM_PRELUDE + RANDOM.map(randomFunction).join('\n');

function gcc(text: string): Map<string, bigint> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'c-reference-'));
  try {
    writeFileSync(join(folder, 'all.c'), text);
    const flags = [
      '-std=gnu11',
      '-w',
      '-O0',
      '-fwrapv',
      '-D__GCC_REFERENCE__',
      '-o',
      join(folder, 'all'),
      join(folder, 'all.c'),
    ];
    try {
      execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    execFileSync('gcc', flags, { stdio: 'inherit' });
    const out = execFileSync(join(folder, 'all'), { encoding: 'utf8' });
    return new Map(
      out
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0], BigInt(line.split(' ')[1])]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const bits = (value: number | bigint | undefined): bigint => BigInt.asIntN(64, BigInt(value ?? 0));

describe('C as GCC compiles it', () => {
  const names = readdirSync(CORPUS).filter((f) => f.endsWith('.c'));
  const texts = names.map((n) => [n, read(n)] as const);
  const tests = texts.flatMap(([n, text]) =>
    [...text.matchAll(/^long (t_\w+)\(void\)/gm)].map((m) => [n, m[1]] as const),
  );
  const foldText = folds.map((f) => `u64 ${f.name}(void) { u64 h = 1; ${f.body} return h; }`).join('\n');
  const main = `int printf(const char *, ...);
    int main(void) {
    ${tests.map(([, t]) => `printf("${t} %lld\\n", (long long)${t}());`).join('\n')}
    ${operatorNames.map((n) => `for (int op = 0; op < 44; op++) printf("${n}:%d %lld\\n", op, (long long)${n}(op));`).join('\n')}
    ${folds.map((f) => `printf("${f.name} %lld\\n", (long long)${f.name}());`).join('\n')}
    ${RANDOM.map((n) => RANDOM_ARGUMENTS.map(([p, q], i) => `printf("r_${n}:${i} %lld\\n", (long long)r_${n}(${p}ULL, ${q}));`).join(' ')).join('\n')}
    return 0; }`;
  const expected = gcc([prelude, ...texts.map(([, text]) => text), operators, foldText, random, main].join('\n'));
  const skip = expected === undefined ? 'gcc is not on PATH: nothing to compare with' : false;

  for (const [file, text] of texts) {
    const p = program(prelude + text);
    for (const [, name] of tests.filter(([f]) => f === file)) {
      test(`${file}: ${name}`, { skip }, () => {
        const outcome = run(p, name);
        assert.equal(outcome.trap, undefined, `${outcome.trap} at ${outcome.at}`);
        assert.equal(bits(outcome.value), expected?.get(name));
      });
    }
  }

  test('every operator on every pair of integer types', { skip }, () => {
    const p = program(prelude + operators);
    const wrong: string[] = [];
    for (const name of operatorNames) {
      for (const op of OPS) {
        const outcome = run(p, name, [op]);
        if (outcome.trap !== undefined || bits(outcome.value) !== expected?.get(`${name}:${op}`))
          wrong.push(`${name} ${OPERATORS[op] ?? op} ${outcome.trap ?? ''}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('every operator on constants', { skip }, () => {
    const p = program(prelude + foldText);
    const wrong = folds.filter(({ name }) => bits(run(p, name).value) !== expected?.get(name)).map(({ name }) => name);
    assert.deepEqual(wrong, []);
  });

  test('random programs', { skip }, () => {
    const p = program(prelude + random);
    const wrong = RANDOM.flatMap((n) => RANDOM_ARGUMENTS.map((args, i) => [n, i, run(p, `r_${n}`, [...args])] as const))
      .filter(([n, i, outcome]) => outcome.trap !== undefined || bits(outcome.value) !== expected?.get(`r_${n}:${i}`))
      .map(([n, i, outcome]) => `r_${n}:${i} ${outcome.trap ?? ''}`);
    assert.deepEqual(wrong, []);
  });
});
