/** Whatever the text, parsing and lowering end, without an exception, in code that the machine can run or refuse. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Op } from '../../../../engine/vm/bytecode.ts';
import { program, run } from './run.ts';

const WORDS = (
  'int unsigned long char short void bool u64 struct union enum typedef static extern inline const volatile __attribute__ __init __must_check ' +
  'typeof __auto_type sizeof _Alignof _Generic _Static_assert if else while do for switch case default break continue goto return asm ' +
  'a b c f s t x main offsetof container_of memset memcpy memcmp likely READ_ONCE BUILD_BUG_ON __builtin_constant_p __builtin_choose_expr ' +
  '__builtin_types_compatible_p __func__ 0 1 2 0x7fffffffffffffff 18446744073709551615 1.5 08 "text" \'c\' ( ) ( ) { } { } [ ] ; ; ; , , . ... -> ' +
  '+ - * / % & | ^ ~ ! = == != < > <= >= << >> && || ? : ++ -- += -= *= <<= # ##'
).split(' ');

const SEED = `
typedef unsigned long long u64;
struct s { int a : 3; unsigned b; struct { long c; union { int d; char e[4]; }; }; struct s *next; };
enum e { ZERO, ONE, FIVE = 5 };
static int table[] = { [2] = 7, 1 };
static int helper(struct s *p, int n) { return p->a + n; }
int f(int x, struct s *p) {
	int v[3] = { 1, x, };
	for (int i = 0; i < 3; i++) { if (v[i] > x && p) continue; x += helper(p, v[i]); }
	switch (x) { case 1 ... 4: return ONE; default: break; }
	again: while (x-- > 0) { if (x == 7) goto again; }
	return ({ int y = x ? table[2] : FIVE; (u64)y << 40 | sizeof(struct s); });
}
`;

/** Compiles everything in a text and checks that every instruction is sound enough to be executed. */
function compileAll(text: string): void {
  const p = program(text, { stubs: [{ name: 'stubbed', value: 3 }] });
  for (const name of p.names()) {
    const f = p.find(name);
    if (f === undefined) continue;
    const code = p.functionCode(f.index);
    const count = code.code.length / 4;
    for (let i = 0; i < count; i++) {
      const [op, a, b, c] = code.code.subarray(i * 4, i * 4 + 4);
      if (op === Op.JMP || op === Op.LOOP) assert.ok(a >= 0 && a < count, `${name}: jump out of the code`);
      if (op === Op.JT || op === Op.JF) assert.ok(b >= 0 && b < count, `${name}: branch out of the code`);
      if (op >= Op.JEQ && op <= Op.JLE_U64) assert.ok(c >= 0 && c < count, `${name}: branch out of the code`);
      if (op === Op.TRAP) assert.ok(code.problems[a] !== undefined);
    }
    const last = code.code[(count - 1) * 4];
    assert.ok([Op.RET, Op.RETV, Op.JMP, Op.TRAP, Op.LOOP].includes(last as never), `${name}: runs off its end`);
    assert.ok(code.lines.every((row, i) => i === 0 || row.pc > code.lines[i - 1].pc));
  }
}

describe('C front end on any text', () => {
  const token = fc.constantFrom(...WORDS);

  test('token soup', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (soup) => compileAll(soup.join(' '))),
      { numRuns: 400 },
    );
  });

  test('token soup inside a function', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (soup) =>
        compileAll(`${SEED} int g(int a, struct s *b) { ${soup.join(' ')} }`),
      ),
      { numRuns: 400 },
    );
  });

  test('a good text with tokens lost, doubled and exchanged', () => {
    const tokens = SEED.split(/(\s+|\b)/).filter((t) => t.trim() !== '');
    const edit = fc.tuple(fc.nat(tokens.length - 1), fc.constantFrom('drop', 'double', 'replace'), token);
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const copy = [...tokens];
        for (const [at, kind, word] of edits) {
          if (kind === 'drop') copy.splice(at, 1);
          else if (kind === 'double') copy.splice(at, 0, copy[at] ?? word);
          else copy[at] = word;
        }
        compileAll(copy.join(' '));
      }),
      { numRuns: 500 },
    );
  });

  test('what compiles also runs to an end or a trap', () => {
    const corpus = join(import.meta.dirname, 'corpus');
    const text =
      readFileSync(join(corpus, 'prelude.h'), 'utf8') +
      readdirSync(corpus)
        .filter((f) => f.endsWith('.c'))
        .map((f) => readFileSync(join(corpus, f), 'utf8'))
        .join('\n');
    const pieces = text.split(/(\s+|\b)/).filter((t) => t !== '');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(pieces.length - 1), token), { minLength: 40, maxLength: 40 }), (edits) => {
        const copy = [...pieces];
        for (const [at, word] of edits) if (copy[at].trim() !== '') copy[at] = word;
        const p = program(copy.join(''));
        for (const name of p.names()) if (name.startsWith('t_')) run(p, name, [], { loopBudget: 20_000 });
      }),
      { numRuns: 12 },
    );
  });

  for (const [what, text] of [
    ['parentheses', `int f(void) { return ${'('.repeat(5000)}1${')'.repeat(5000)}; }`],
    ['unary operators', `int f(int x) { return ${'-~!'.repeat(3000)}x; }`],
    ['a long sum', `int f(int x) { return ${'x + '.repeat(20000)}x; }`],
    ['a long comma list', `int f(int x) { ${'x, '.repeat(20000)}x; }`],
    ['blocks', `int f(void) { ${'{'.repeat(20000)} }`],
    ['else-if', `int f(int x) { ${'if (x) x++; else '.repeat(3000)}; return x; }`],
    ['pointers', `int ${'*'.repeat(20000)}p; int f(void) { return 0; }`],
    ['arrays', `int a${'[2]'.repeat(3000)}; int f(void) { return a[0]; }`],
    ['huge arrays', `int a[1000000000][1000000000]; int f(void) { int b[1 << 30]; return a[0][0]; }`],
    ['declarators', `int ${'('.repeat(4000)}p${')'.repeat(4000)};`],
    ['initialisers', `int a[] = ${'{'.repeat(5000)}; int f(void) { return a[0]; }`],
    ['a range', 'int a[] = { [0 ... 2000000000] = 1 }; int f(void) { return a[0]; }'],
    ['members', `struct s { struct s *n; }; int f(struct s *p) { return p${'->n'.repeat(9000)} != 0; }`],
    ['calls', `int g(int x) { return x; } int f(void) { return ${'g('.repeat(3000)}1${')'.repeat(3000)}; }`],
    ['statement expressions', `int f(void) { return ${'({'.repeat(3000)}1;${'})'.repeat(3000)}; }`],
    ['a struct in itself', 'struct s { struct s a; }; int f(void) { struct s x; return sizeof(x); }'],
    [
      'typedef chains',
      `typedef int t0;${[...Array(3000).keys()].map((i) => `typedef t${i} *t${i + 1};`).join('')} int f(void) { t3000 x; return !x; }`,
    ],
    ['conditionals', `int f(int x) { return ${'x ? '.repeat(3000)}1${' : 2'.repeat(3000)}; }`],
    ['assignments', `int f(int x) { return ${'x = '.repeat(5000)}1; }`],
    ['many slots', `struct a { long v[60000]; }; int f(struct a x) { struct a y = x; return y.v[0]; }`],
    [
      'compound literals',
      `struct s { int a; }; int f(void) { return ${'(struct s){ '.repeat(900)}1${' }.a'.repeat(900)}; }`,
    ],
    ['typeof', `int f(int x) { ${'__typeof__('.repeat(900)}x${')'.repeat(900)} y = 1; return y; }`],
    ['unfinished', 'int f(void) { int x = 1; if (x'],
  ] as const) {
    test(`deep or large: ${what}`, () => {
      const started = performance.now();
      compileAll(text);
      const p = program(text);
      if (p.find('f') !== undefined) run(p, 'f', [], { loopBudget: 1000 });
      // Not a benchmark: what grows with the square of such a text takes minutes.
      assert.ok(performance.now() - started < 20_000);
    });
  }
});
