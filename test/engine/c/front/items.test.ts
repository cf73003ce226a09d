import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { at, functionNamed, functions, load, messages, spell } from './front.ts';

/** One line per item: what it is and how it is spelled. */
const outline = (text: string, more: Parameters<typeof load>[1] = {}): string[] =>
  load(text, more).items.map((i) => `${i.kind}${i.name === undefined ? '' : ` ${i.name}`}: ${spell(i.tokens())}`);

describe('the top level of a kernel file', () => {
  it('is functions, declarations, and macro calls that fit nothing', () => {
    assert.deepEqual(
      outline(
        [
          'MODULE_LICENSE("GPL");',
          'static DEFINE_MUTEX(sev_lock);',
          'struct sev { int asid; };',
          'static struct ops svm_ops __initdata = {',
          '\t.a = f,',
          '};',
          'static __always_inline int __init f(struct sev *s) __must_hold(&s->lock)',
          '{',
          '\treturn 0;',
          '}',
          'EXPORT_SYMBOL_GPL(f);',
          'enum psc_op { A, B };',
          'int g(void);',
          'typedef struct { int x; } foo_t;',
        ].join('\n'),
      ),
      [
        'stray: MODULE_LICENSE ( "GPL" ) ;',
        'stray: static DEFINE_MUTEX ( sev_lock ) ;',
        'declaration: struct sev { int asid ; } ;',
        'declaration: static struct ops svm_ops __initdata = { . a = f , } ;',
        'function f: static __always_inline int __init f ( struct sev * s ) __must_hold ( & s -> lock ) { return 0 ; }',
        'stray: EXPORT_SYMBOL_GPL ( f ) ;',
        'declaration: enum psc_op { A , B } ;',
        'declaration: int g ( void ) ;',
        'declaration: typedef struct { int x ; } foo_t ;',
      ],
    );
  });

  for (const [head, name] of [
    ['static int *f(int a)', 'f'],
    ['struct page *snp_safe_alloc_page(struct kvm_vcpu *vcpu)', 'snp_safe_alloc_page'],
    ['__attribute__((noinline)) static int f(void)', 'f'],
    ['__printf(1, 2) void f(const char *fmt, ...)', 'f'],
    ['static u8 (*get(int x))(long)', 'get'],
    ['unsigned long\nf(int a,\n  int b)', 'f'],
    ['int __snp_lookup(struct s (*ops)[3], int (*cb)(int))', '__snp_lookup'],
    ['static int f(int a[ARRAY_SIZE(x)])\n\t__acquires(lock)', 'f'],
    ['SYSCALL_DEFINE3(ioctl, int, fd, int, cmd, long, arg)', 'SYSCALL_DEFINE3'],
  ] as const) {
    it(`${JSON.stringify(head)} is the head of ${name}`, () => {
      const unit = load(`int before;\n${head}\n{\n\tif (x) { y(); }\n}\nint after;\n`);
      assert.deepEqual(functions(unit), [name]);
      assert.equal(unit.items.length, 3);
      assert.deepEqual(messages(unit), []);
    });
  }

  for (const text of [
    'struct __attribute__((packed)) a { int x; };',
    'struct __aligned(8) a { int (*f)(int); };',
    'union a { int x; } b, c[] = { { 1 }, { 2 } };',
    'int a[] = { f(1), (int){ 2 } };',
    'int (*table[])(void) = { f, g };',
    'static const struct x y = { .f = g(1) { } };',
    'enum { A = (1), B };',
    'typedef int (*fn_t)(int);',
    'int x = ({ int y = f(1); y; });',
  ]) {
    it(`${JSON.stringify(text)} is one declaration`, () => {
      assert.deepEqual(
        load(text).items.map((i) => i.kind),
        ['declaration'],
      );
    });
  }

  it('ends a macro call without a semicolon at the next item in column 0', () => {
    assert.deepEqual(outline('early_initcall(f)\nint x;\n__setup("a",\n\tf)\nstatic int g(void)\n{\n}\n'), [
      'stray: early_initcall ( f )',
      'declaration: int x ;',
      'stray: __setup ( "a" , f )',
      'function g: static int g ( void ) { }',
    ]);
  });

  it('sees the functions that a known macro makes, under their expanded names', () => {
    const text = [
      '#define GETTER(n) static int get_##n(struct s *s) { return s->n; }',
      '#define CALL(n, ...) static long __do_##n(__VA_ARGS__); long n(__VA_ARGS__)',
      '#define EXPORT(n)',
      'GETTER(asid)',
      'CALL(psc, int a)',
      '{',
      '\treturn a;',
      '}',
      'EXPORT(psc);',
      'int after;',
    ].join('\n');
    assert.deepEqual(outline(text), [
      'function get_asid: static int get_asid ( struct s * s ) { return s -> asid ; }',
      'declaration: static long __do_psc ( int a ) ;',
      'function psc: long psc ( int a ) { return a ; }',
      'declaration: int after ;',
    ]);
  });

  it('takes the branch of an #ifdef within a function', () => {
    assert.deepEqual(
      outline('int f(void)\n{\n#ifdef CONFIG_X\n\treturn 1;\n#else\n\treturn 2;\n#endif\n}\n', {
        defines: { CONFIG_X: '1' },
      }),
      ['function f: int f ( void ) { return 1 ; }'],
    );
  });

  it('ends every item with an end token behind its last', () => {
    const unit = load('int x; /* c */ int f(void) { }  ');
    for (const item of unit.items) {
      const tokens = item.tokens();
      assert.equal(tokens[tokens.length - 1].kind, 'end');
      assert.equal(tokens[tokens.length - 1].start, item.origin.end);
    }
    assert.equal(at(unit, functionNamed(unit, 'f').origin), 'int f(void) { }');
  });
});

describe('a file that is not balanced', () => {
  const around = (broken: string) =>
    `int before(void)\n{\n\treturn 1;\n}\n\n${broken}\n\nint after(void)\n{\nout:\n\treturn 2;\n}\n\nint last(void)\n{\n\treturn 3;\n}\n`;
  for (const [what, broken, message] of [
    ['a missing }', 'int f(void)\n{\n\tif (x) {\n\t\ty();\n}', /This `\{` is never closed/],
    ['two missing }', 'int f(void)\n{\n\twhile (y) {\n\tif (x) {\n\t\ty();\n', /never closed/],
    ['a } too many', 'int f(void)\n{\n\tif (x) }\n\t\ty();\n\treturn 0;\n}', /closes nothing/],
    ['a missing ) of a call', 'int f(void)\n{\n\ty(1;\n}', /This `\(` is never closed/],
    ['a missing ) of the parameters', 'int f(int a\n{\n\treturn 0;\n}', /This `\(` is never closed/],
    ['a missing ) of a macro call', 'MODULE_LICENSE("GPL"', /This `\(` is never closed/],
    ['a ) too many', 'int f(int a))\n{\n\treturn 0;\n}', /without a matching `\(`/],
    ['an unclosed string', 'int f(void)\n{\n\tp("x);\n}', /string is not closed/],
    ['a missing ; after a struct', 'struct s {\n\tint a;\n}', undefined],
    ['a stray word', 'oops', undefined],
  ] as const) {
    it(`with ${what} keeps the functions before and after`, () => {
      const unit = load(around(broken));
      const names = functions(unit);
      assert.ok(names.includes('before') && names.includes('last'), names.join());
      // `oops` in front of a function reads as its type, which is a matter for the parser.
      assert.ok(names.includes('after'), names.join());
      assert.equal(spell(functionNamed(unit, 'last').tokens()), 'int last ( void ) { return 3 ; }');
      if (message !== undefined) {
        assert.match(messages(unit).join('\n'), message);
        const [first] = unit.problems;
        assert.ok(first.origin.start >= around('').indexOf('}') && first.origin.end <= unit.text.indexOf('int after'));
      }
    });
  }

  it('loses at most the function whose brace is taken away', () => {
    const file = Array.from(
      { length: 12 },
      (_, i) => `static int f${i}(int a)\n{\n\tif (a) {\n\t\tg(a);\n\t} else {\n\t\th();\n\t}\n\treturn ${i};\n}\n`,
    ).join('\n');
    fc.assert(
      fc.property(fc.nat(), (pick) => {
        const braces = [...file.matchAll(/[{}()]/g)].map((m) => m.index);
        const cut = braces[pick % braces.length];
        const hit = Math.floor((file.slice(0, cut).match(/static int/g) ?? []).length - 1);
        const names = functions(load(file.slice(0, cut) + file.slice(cut + 1)));
        for (let i = 0; i < 12; i++)
          if (i !== hit)
            assert.ok(names.includes(`f${i}`), `f${i} lost with character ${cut} of f${hit}: ${names.join()}`);
      }),
      { numRuns: 150 },
    );
  });
});
