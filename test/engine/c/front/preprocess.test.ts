import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, expanded, functionNamed, load, messages, spell } from './front.ts';

/** What a text becomes, with no problem on the way. */
function becomes(text: string, result: string, more: Parameters<typeof load>[1] = {}): void {
  const unit = load(text, more);
  assert.equal(expanded(unit), result);
  assert.deepEqual(messages(unit), []);
}

describe('C11 6.10.3: macros', () => {
  it('replaces object-like and function-like macros, the latter only before a parenthesis', () => {
    becomes('#define A 1\n#define F(x) [x]\nint a = A, F, b = F (A);', 'int a = 1 , F , b = [ 1 ] ;');
  });

  it('needs the parenthesis of a definition to follow the name at once', () => {
    becomes('#define F (x)\nF;', '( x ) ;');
  });

  it('does not expand a macro within itself, nor two within each other', () => {
    becomes('#define f(a) f(x * (a))\n#define A B\n#define B A\nint f(1), A, B;', 'int f ( x * ( 1 ) ) , A , B ;');
  });

  it('gives example 3 of 6.10.3.5', () => {
    becomes(
      '#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n#define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\n#define p() int\n#define q(x) x\n#define r(x,y) x ## y\n#define str(x) # x\nf(y+1) + f(f(z)) % t(t(g)(0) + t)(1);\np() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };\nchar c[2][6] = { str(hello), str() };',
      'f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { "hello" , "" } ;',
    );
  });

  it('gives example 4 of 6.10.3.5: # and ## before the arguments are expanded', () => {
    becomes(
      '#define str(s) # s\n#define xstr(s) str(s)\n#define INCFILE(n) vers ## n\n#define glue(a, b) a ## b\n#define xglue(a, b) glue(a, b)\n#define HIGHLOW "hello"\n#define LOW LOW ", world"\nf(str(strncmp("abc\\0d", "abc", \'\\4\') // away\n == 0) str(: @\\n), xstr(INCFILE(2).h), glue(HIGH, LOW), xglue(HIGH, LOW));',
      'f ( "strncmp(\\"abc\\\\0d\\", \\"abc\\", \'\\\\4\') == 0" ": @\\n" , "vers2.h" , "hello" , "hello" ", world" ) ;',
    );
  });

  it('gives example 5 of 6.10.3.5: pasting nothing', () => {
    becomes(
      '#define t(x,y,z) x ## y ## z\nint j[] = { t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,) };',
      'int j [ ] = { 123 , 45 , 67 , 89 , 10 , 11 , 12 , } ;',
    );
  });

  it('takes variable arguments, named or not, and swallows the comma before none', () => {
    becomes(
      '#define E(f, ...) p(f, ##__VA_ARGS__)\n#define N(f, args...) p(f, ##args)\n#define V(...) p(__VA_ARGS__)\nint E("a"), E("a", 1, 2), E("a",), N("b"), N("b", 3), V(), V(1,2);',
      'int p ( "a" ) , p ( "a" , 1 , 2 ) , p ( "a" , ) , p ( "b" ) , p ( "b" , 3 ) , p ( ) , p ( 1 , 2 ) ;',
    );
  });

  it('knows __VA_OPT__', () => {
    becomes('#define V(a, ...) p(a __VA_OPT__(,) __VA_ARGS__)\nint V(1), V(1, 2);', 'int p ( 1 ) , p ( 1 , 2 ) ;');
  });

  it("lets the kernel's __is_defined trick work", () => {
    becomes(
      '#define P_1 0,\n#define second(i, v, ...) v\n#define is3(j) second(j 1, 0)\n#define is2(v) is3(P_##v)\n#define is(x) is2(x)\n#define CONFIG_A 1\nint a = is(CONFIG_A), b = is(CONFIG_B);',
      'int a = 1 , b = 0 ;',
    );
  });

  it('expands deferred recursion as far as gcc does', () => {
    becomes(
      '#define E\n#define D(x) x E\n#define X(x) x\n#define R() I\n#define I(n) n D(R)()(n)\nX(X(I(1)));',
      '1 1 1 R ( ) ( 1 ) ;',
    );
  });

  it('gives __LINE__ and __FILE__ of the use, and counts with __COUNTER__', () => {
    becomes(
      '#define L __LINE__\n\nint a = L, b = __COUNTER__, c = __COUNTER__; char *f = __FILE__;',
      'int a = 3 , b = 0 , c = 1 ; char * f = "svm/sev.c" ;',
    );
  });

  it('leaves __func__ alone and drops _Pragma', () => {
    becomes('void f(void) { _Pragma("x") p(__func__); }', 'void f ( void ) { p ( __func__ ) ; }');
  });

  it('uses in each item the macros in force at its place, also when a function body redefines them', () => {
    becomes(
      '#define A 1\nint a = A;\n#undef A\nint b = A;\nint f(void)\n{\n#define A 2\n\tx(A);\n#undef A\n#define A 3\n\treturn A;\n}\nint c = A;',
      'int a = 1 ; int b = A ; int f ( void ) { x ( 2 ) ; return 3 ; } int c = 3 ;',
    );
  });

  it('gives the value of an object-like macro at the end', () => {
    const unit = load('#define A B + 1\n#define B 2\n#define F(x) x\n');
    assert.equal(spell(unit.macro('A') ?? []), '2 + 1');
    assert.equal(unit.macro('F'), undefined);
    assert.equal(unit.macro('C'), undefined);
  });

  it('reports a call with too few arguments at the call and leaves it as it is', () => {
    const unit = load('#define F(a, b) a b\nint x = F(1);');
    assert.equal(expanded(unit), 'int x = F ( 1 ) ;');
    assert.deepEqual(messages(unit), ['Macro `F` takes 2 arguments, but 1 is given.']);
    assert.equal(at(unit, unit.problems[0].origin), 'F');
  });

  it('stops a macro bomb', () => {
    const levels = Array.from({ length: 40 }, (_, i) => `#define B${i + 1} B${i} B${i} B${i} B${i}`).join('\n');
    const unit = load(`#define B0 x\n${levels}\nint a = B40;`);
    assert.ok(expanded(unit).length < 4_000_000);
    assert.match(messages(unit).join(), /expands to more than/);
  });

  it('stops a bomb of arguments, and calls nested beyond reason', () => {
    const levels = Array.from({ length: 60 }, (_, i) => `#define B${i + 1}(x) B${i}(x x)`).join('\n');
    const unit = load(
      `#define B0(x) x\n${levels}\n#define F(x) x\nint a = B60(y); int b = ${'F('.repeat(300)}1${')'.repeat(300)};`,
    );
    assert.ok(expanded(unit).length < 4_000_000);
    assert.match(messages(unit).join(), /expands to more than/);
    assert.match(messages(unit).join(), /nested more than/);
  });
});

describe('a macro whose tokens grow instead of their number', () => {
  it('is stopped when its strings double at every level', () => {
    const unit = load(`#define s(x) #x\n#define t(x) s(x)\nchar *a = ${'t('.repeat(80)}"a"${')'.repeat(80)};\nint b;`);
    assert.ok(expanded(unit).length < 1_000_000);
    assert.match(messages(unit).join(), /makes a string of more than/);
  });

  it('is stopped when its names double at every level', () => {
    const levels = Array.from({ length: 60 }, (_, i) => `#define N${i + 1}(x) N${i}(x##x)`).join('\n');
    const unit = load(`#define N0(x) x\n${levels}\nint N60(ab);\nint b;`);
    assert.ok(expanded(unit).length < 1_000_000);
    assert.match(messages(unit).join(), /makes a token of more than/);
  });
});

describe('origins through macros', () => {
  const unit = load('#define TWICE(v) ((v) + one(v))\nint f(int level)\n{\n\treturn TWICE(level);\n}\n');
  const tokens = functionNamed(unit, 'f').tokens();

  it("a body's token points at the use, its definition at the body", () => {
    const one = tokens.find((t) => t.text === 'one');
    assert.ok(one?.definition);
    assert.equal(at(unit, one), 'TWICE');
    assert.equal(at(unit, one.definition), 'one');
  });

  it("an argument's token stays where it was written", () => {
    const uses = tokens.filter((t) => t.text === 'level').slice(1);
    assert.equal(uses.length, 2);
    for (const use of uses) {
      assert.equal(at(unit, use), 'level');
      assert.equal(use.definition, undefined);
    }
  });
});

describe('C11 6.10.1: conditional inclusion', () => {
  const cases: [string, boolean][] = [
    ['1 + 2 * 3 == 7', true],
    ['(1 ? 2 : 1/0) == 2', true],
    ['0 && 1/0', false],
    ['1 || 1/0', true],
    ['-1 > 0u', true],
    ['-1 > 0', false],
    ['0x7fffffffffffffff + 1 < 0', true],
    ['18446744073709551615ULL == ~0ULL', true],
    ["'a' == 97 && '\\xff' < 0 && '\\n' == 10", true],
    ['-7 % 3 == -1 && -7 / 2 == -3', true],
    ['1 << 40 >> 38 == 4', true],
    ['010 == 8 && 0b101 == 5', true],
    ['defined A && !defined(B) && defined ( A )', true],
    ['B', false],
    ['A == 4', true],
    ['IS_ENABLED(CONFIG_Y) && IS_ENABLED(CONFIG_M) && !IS_ENABLED(CONFIG_N)', true],
    ['IS_BUILTIN(CONFIG_M) || IS_MODULE(CONFIG_Y)', false],
    ['IS_MODULE(CONFIG_M) && IS_REACHABLE(CONFIG_Y)', true],
    ['__has_include(<linux/kvm.h>) && !__has_include("no.h")', true],
    ['1 ? 0 : 1', false],
    ['!(3 & 1) ^ (6 | 1) == 7', true],
  ];
  for (const [condition, holds] of cases) {
    it(`${condition} is ${holds}`, () => {
      becomes(`#define A 4\n#if ${condition}\nyes;\n#else\nno;\n#endif`, holds ? 'yes ;' : 'no ;', {
        defines: { CONFIG_Y: '1', CONFIG_M_MODULE: '1' },
        include: { 'linux/kvm.h': '' },
      });
    });
  }

  it('takes exactly one branch of #if/#elif/#else, and none within an inactive one', () => {
    becomes(
      '#if 0\na;\n#if 1\nb;\n#else\nc;\n#endif\n#elif 1\nd;\n#elif 1\ne;\n#else\nf;\n#endif\n#ifdef X\ng;\n#endif\n#ifndef X\nh;\n#endif',
      'd ; h ;',
    );
  });

  it('reads no condition, quote or #error in an inactive branch', () => {
    becomes("#if 0\n#if 1 +\n#error no\nit's fine\n#elif (\n#endif\n#endif\nint x;", 'int x ;');
  });

  it('reports #error in an active branch at its place', () => {
    const unit = load('#ifndef CONFIG_X\n#error CONFIG_X is needed\n#endif\nint x;');
    assert.deepEqual(messages(unit), ['#error: CONFIG_X is needed']);
    assert.equal(at(unit, unit.problems[0].origin), 'error');
  });

  it('takes a macro call it does not know as 0 and says so without an error', () => {
    const unit = load('#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)\na;\n#endif\n');
    assert.equal(expanded(unit), 'a ;');
    assert.equal(unit.problems[0].severity, 'information');
  });

  for (const [broken, message] of [
    ['#if 1 +\n#endif', /ends where a value/],
    ['#if (1\n#endif', /has no `\)`/],
    ['#if 1 2\n#endif', /complete before it/],
    ['#if 1/0\n#endif', /Division by zero/],
    ['#if\n#endif', /needs a condition/],
    ['#if 1.5\n#endif', /no integer/],
    ['#if 1\n', /has no `#endif`/],
    ['#endif\n', /without an `#if`/],
    ['#if 0\n#else\n#else\n#endif', /after `#else`/],
    ['#foo\n', /no preprocessor directive/],
    ['#define\n', /needs a name/],
    ['#define F(a b) a\n', /`\)` or `,` is expected/],
    ['#define F(a\n', /no closing `\)`/],
    ['#define F(a) #b\n', /followed by one of its parameters/],
    ['#define F ## a\n', /either end/],
  ] as const) {
    it(`reports ${JSON.stringify(broken)}`, () => {
      const unit = load(`${broken}\nint x;`);
      assert.match(messages(unit).join('\n'), message);
      assert.equal(unit.problems.length, 1);
    });
  }
});

describe('C11 6.10.2: #include', () => {
  it('reads a header once through its guard or #pragma once, and notes unknown ones', () => {
    const unit = load(
      '#include <a.h>\n#include "a.h"\n#include <b.h>\n#include <b.h>\n#include <linux/nothing-here.h>\nint x;',
      {
        include: { 'a.h': '#ifndef A_H\n#define A_H\nint a;\n#endif\n', 'b.h': '#pragma once\nint b;\n' },
      },
    );
    assert.equal(expanded(unit), 'int a ; int b ; int x ;');
    assert.deepEqual(
      unit.unknownIncludes.map((u) => [u.name, at(unit, u.origin)]),
      [['linux/nothing-here.h', '<linux/nothing-here.h>']],
    );
    assert.deepEqual(messages(unit), []);
  });

  it('looks for a quoted name beside the header that includes it', () => {
    becomes('#include <asm/x.h>\n', 'int beside ;', {
      include: { 'asm/x.h': '#include "y.h"\n', 'asm/y.h': 'int beside;', 'y.h': 'int far;' },
    });
  });

  it('reads forced headers first, and origins in them point into them', () => {
    const unit = load('int x = A;', {
      include: { 'model.h': '#define A 1\ntypedef int gfn_t;\n' },
      forceInclude: ['model.h'],
    });
    assert.equal(expanded(unit), 'typedef int gfn_t ; int x = 1 ;');
    assert.equal(unit.files.list[unit.items[0].origin.file].path, 'include/model.h');
  });

  it('takes the name from a macro', () => {
    becomes('#define H <h.h>\n#include H\n', 'int h ;', { include: { 'h.h': 'int h;' } });
  });

  it('ends headers that include themselves or each other without end', () => {
    const unit = load('#include "a.h"\nint x;', { include: { 'a.h': '#include "a.h"\n#include "a.h"\nint a;\n' } });
    assert.match(messages(unit).join('\n'), /lack an include guard/);
    assert.ok(unit.items.length < 10_000);
  });
});
