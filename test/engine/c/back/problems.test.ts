/** What cannot run is a problem at its place, and only if it is reached. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeOf, program, run } from './run.ts';

const TYPES =
  'typedef unsigned long long u64; typedef unsigned char u8; struct a { int x; long y; }; struct b { long p[3]; struct a q; }; struct unknown;\n';

/** [what, statements, the problem, the text it points at] */
const cases: [string, string, RegExp, string][] = [
  [
    'inline assembly',
    'asm volatile("nop" : : "a"(n));',
    /^C-UNSUPPORTED: inline assembly/,
    'asm volatile("nop" : : "a"(n))',
  ],
  ['an unknown name', 'n = SOME_MACRO + 1;', /^C-UNDEFINED: `SOME_MACRO` is not declared/, 'SOME_MACRO'],
  ['an unknown type', 'some_t v = 3; n = 4;', /^C-SYNTAX: `some_t` is not a type/, 'some_t'],
  ['a syntax error', 'n = ; n = 2;', /^C-SYNTAX: expected an expression, found `;`/, ';'],
  ['a missing semicolon', 'n = 2 n++;', /^C-SYNTAX: expected `;`, found `n`/, 'n'],
  ['no such member', 'struct a v; n = v.z;', /^C-TYPE: `struct a` has no member `z`/, 'v.z'],
  [
    'a struct known by name only',
    'struct unknown *p = (void *)8; n = p->x;',
    /^C-TYPE: `struct unknown` is declared, but its members are not known/,
    'p->x',
  ],
  ['a floating constant', 'n = 1.5;', /^C-UNSUPPORTED: the constant `1.5`/, '1.5'],
  ['a floating type', 'double d = 1;', /^C-SYNTAX: the type `double`/, 'double'],
  [
    'another layout',
    'struct a v; struct b *p = (struct b *)&v; n = p->p[0];',
    /^C-UNSUPPORTED: a `struct a` is used as a `struct b`, whose memory is laid out differently/,
    '(struct b *)&v',
  ],
  ['another width', 'u64 v = 1; n = *(int *)&v;', /^C-UNSUPPORTED: a `u64` is used as a `int`/, '(int *)&v'],
  ['bytes of a void pointer', 'void *p = &n; p += 4;', /^C-UNSUPPORTED: arithmetic in bytes/, 'p += 4'],
  [
    'a failing static assertion',
    '_Static_assert(sizeof(u64) == 4, "u64 is small");',
    /^C-TYPE: static assertion failed: u64 is small/,
    '_Static_assert(sizeof(u64) == 4, "u64 is small")',
  ],
  [
    'a failing BUILD_BUG_ON',
    'BUILD_BUG_ON(sizeof(u64) != 4);',
    /^C-TYPE: static assertion failed: BUILD_BUG_ON\(sizeof\(u64\) != 4\)/,
    'BUILD_BUG_ON(sizeof(u64) != 4)',
  ],
  [
    'a function that must not be called',
    'extern void bad(void) __attribute__((error("too big"))); if (sizeof(u64) == 8) bad();',
    /^C-TYPE: static assertion failed: too big/,
    'bad()',
  ],
  ['too few arguments', 'n = f(1);', /^C-TYPE: `f` takes 2 arguments, 1 given/, 'f(1)'],
  ['an index outside', 'int v[4]; n = v[4];', /^C-TYPE: index 4 lies outside of `int \[4\]`/, 'v[4]'],
  [
    'a size in bytes',
    'struct a v; memset(&v, 0, 5);',
    /^C-UNSUPPORTED: `memset` with a size that does not follow/,
    'memset(&v, 0, 5)',
  ],
  ['a computed goto', 'void *p = &&here; here: n = 2;', /^C-UNSUPPORTED: the address of a label/, '&&here'],
  ['a goto to nowhere', 'goto nowhere;', /^C-SYNTAX: no label `nowhere`/, 'goto nowhere;'],
  ['a break outside', 'break;', /^C-SYNTAX: `break` outside/, 'break;'],
  [
    'varargs in C',
    '__builtin_va_list x; __builtin_va_start(x, n);',
    /^C-UNSUPPORTED: `__builtin_va_start`/,
    '__builtin_va_start(x, n)',
  ],
  ['a variable length', 'int v[n];', /^C-SYNTAX: .* must be an integer constant expression/, 'n'],
  [
    'unreachable code',
    '__builtin_unreachable();',
    /^C-UNSUPPORTED: reaching __builtin_unreachable/,
    '__builtin_unreachable()',
  ],
  [
    'a struct where a number is meant',
    'struct a v; n = v + 1;',
    /^C-TYPE: `\+` cannot be applied to `struct a` and `int`/,
    'v + 1',
  ],
];

describe('problems', () => {
  for (const [what, statements, expected, at] of cases) {
    test(what, () => {
      const text = `${TYPES}int f(int go, int n) { if (go) { ${statements} } return n + 1; }`;
      const p = program(text);
      assert.equal(run(p, 'f', [0, 1]).value, 2, 'not reached, not reported');
      const reached = run(p, 'f', [1, 1]);
      assert.match(reached.trap ?? 'no trap', expected);
      assert.equal(reached.at, at);
    });
  }

  test('a bad line costs that line: what stands before and behind it runs', () => {
    const p = program(
      'int f(int go) { int n = 1; if (go > 1) { n = = 2; } n += 10; for (int i = 0; i < 3; i++) { if (go > 2) foo bar; n++; } return n; }',
    );
    assert.equal(run(p, 'f', [0]).value, 14);
    assert.match(run(p, 'f', [2]).trap ?? '', /C-SYNTAX/);
  });

  test('a branch of a constant condition does not exist', () => {
    const code = codeOf(
      program('int f(void) { if (sizeof(long) != 8) undefined_thing(); return 0 ? nowhere : 1 || other; }'),
      'f',
    );
    assert.deepEqual(code.problems, []);
    assert.equal(code.code.length / 4, 2);
  });

  test('what only passes through another type is no problem', () => {
    const p =
      program(`${TYPES}long f(void) { struct a v = { 1, 2 }; struct b *p = (struct b *)(void *)&v; struct a *q = (struct a *)(struct b *)&v;
      return q->y + ((struct b *)&v == p) + ((unsigned long)(struct b *)&v == (unsigned long)p); }`);
    assert.equal(run(p, 'f').value, 4);
  });

  test('kernel annotations stand anywhere and mean nothing', () => {
    const p = program(`
      static __always_inline int __must_check one(int __user *p, const char __kernel *__restrict s) __attribute__((nonnull(1), pure));
      static noinline __init int __attribute__((cold)) one(int *p __maybe_unused, const char *s) { return 1; }
      static const struct { int a; } __aligned(16) table[] __initconst __section(".init") = { { 3 }, };
      asmlinkage __visible notrace int f(void) { int x __maybe_unused = one((void *)0, (void *)0), __attribute__((unused)) y = 2;
        switch (x) { case 1: y++; fallthrough; case 2: y++; __attribute__((fallthrough)); default: asm volatile("" ::: "memory"); }
        out: __attribute__((unused));
        return x + y + table[0].a + sizeof(table); }`);
    assert.equal(run(p, 'f').value, 1 + 4 + 3 + 16);
  });

  test('a loop without end stops at the budget and is named', () => {
    const p = program('int f(void) { for (;;) ; }\nint g(void) { int n = 0;\nagain: n++; goto again; }');
    assert.equal(run(p, 'f', [], { loopBudget: 100 }).trap, 'Budget');
    assert.equal(run(p, 'g', [], { loopBudget: 100 }).trap, 'Budget');
    const { loops } = codeOf(p, 'g');
    assert.equal(p.files[loops[0].origin.file].text.slice(loops[0].origin.start, loops[0].origin.end), 'goto again;');
  });
});
