/** A C program as the rest of the engine sees it: who answers for a name, constants, layouts, problems. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CSource } from '../../../../engine/c/program.ts';
import type { Native } from '../../../../engine/vm/native.ts';
import { codeOf, program, run } from './run.ts';

const file = (path: string, text: string): CSource => ({ path, text });
const source = (path: string, text: string) => ({ kind: 'source' as const, source: file(path, text) });
const patch = (text: string) => ({ kind: 'patch' as const, source: file('0001.patch', text) });
const headers = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([name, text]) => [name, file(name, text)]));

/** A patch that adds lines to one file. */
const added = (path: string, lines: string[], before: string[] = []) =>
  `--- a/${path}\n+++ b/${path}\n@@ -1,${before.length} +1,${before.length + lines.length} @@\n${[...before.map((l) => ` ${l}`), ...lines.map((l) => `+${l}`)].join('\n')}\n`;

describe('who answers for a function', () => {
  test('a source in use replaces by name, also behind a function pointer', () => {
    const text = `
      struct ops { int (*get)(int); };
      static int get_model(int x) { return x; }
      static struct ops ops = { .get = get_model };
      int through(int x) { return ops.get(x); }
      int direct(int x) { return get_model(x); }`;
    const p = program(text, { overrides: [source('arch/other.c', 'static int get_model(int x) { return x + 100; }')] });
    assert.equal(run(p, 'through', [1]).value, 101);
    assert.equal(run(p, 'direct', [1]).value, 101);
    assert.equal(p.find('get_model')?.override, true);
    assert.equal(p.find('get_model')?.location.path, 'arch/other.c');
    assert.equal(p.find('through')?.override, false);
  });

  test('the last one in use wins, a stub wins over all', () => {
    const overrides = [source('a.c', 'int f(void) { return 2; }'), source('b.c', 'int f(void) { return 3; }')];
    const text = 'int f(void) { return 1; } int g(void) { return f(); }';
    assert.equal(run(program(text, { overrides }), 'g').value, 3);
    const stubbed = program(text, {
      overrides,
      stubs: [
        { name: 'f', value: -22 },
        { name: 'elsewhere', value: 7 },
      ],
    });
    assert.equal(run(stubbed, 'g').value, -22);
    assert.equal(run(stubbed, 'elsewhere').value, 7);
    assert.ok([...stubbed.names()].includes('elsewhere'));
  });

  test('static functions of one name in two model files are two functions; an override is of the file of its name', () => {
    const model = [
      file('m/sev.c', 'static int who(void) { return 1; } int sev(void) { return who(); }'),
      file('m/svm.c', 'static int who(void) { return 2; } int svm(void) { return who(); }'),
    ];
    const p = program('', { model });
    assert.deepEqual([run(p, 'sev').value, run(p, 'svm').value], [1, 2]);
    const q = program('', {
      model,
      overrides: [source('linux/arch/x86/kvm/svm/svm.c', 'static int who(void) { return 20; }')],
    });
    assert.deepEqual([run(q, 'sev').value, run(q, 'svm').value], [1, 20]);
    const r = program('', { model, overrides: [source('else.c', 'static int who(void) { return 30; }')] });
    assert.deepEqual([run(r, 'sev').value, run(r, 'svm').value], [30, 30]);
  });

  test('an undefined function is a problem at the call that is reached, and names the stub to add', () => {
    const text =
      'int known(void); int f(int x) { if (x) return known(); return 0; } int g(void) { return never_declared(1, "a"); }';
    const p = program(text);
    assert.equal(run(p, 'f', [0]).value, 0);
    const reached = run(p, 'f', [1]);
    assert.match(reached.trap ?? '', /^C-UNDEFINED: `known` is called, but nobody defines it.*`stub known returns 0`/);
    assert.equal(reached.at, 'known()');
    const undeclared = run(p, 'g');
    assert.match(undeclared.trap ?? '', /^C-UNDEFINED: `never_declared`/);
    assert.equal(codeOf(p, 'g').problems[0].name, 'never_declared');
    assert.equal(run(program(text, { stubs: [{ name: 'never_declared', value: 5 }] }), 'g').value, 5);
    assert.equal(p.find('known'), undefined);
  });

  test('natives are called by number, with conversions by their prototypes, and through pointers', () => {
    const seen: (number | bigint)[] = [];
    const natives: Native[] = [
      { prototype: 'void unused(void)', call: () => 0 },
      {
        prototype: 'long add8(u8 a, u64 b);',
        call: (c) => {
          seen.push(c.num(0), c.big(1));
          return c.num(0) + 1;
        },
      },
      { prototype: 'int log(const char *format, ...)', call: (c) => c.count + c.str(0).length },
    ];
    const text = `long f(void) { return add8(0x1ff, -1); }
      long g(void) { long (*p)(u8, u64) = add8; return p(257, 2); }
      int h(void) { u8 small = 3; return log("abc", small, 1ULL << 40, "x"); }`;
    const p = program(text, {
      natives,
      headers: headers({ 'model.h': 'typedef unsigned char u8; typedef unsigned long long u64;' }),
    });
    assert.equal(run(p, 'f', [], { natives }).value, 256);
    assert.equal(run(p, 'g', [], { natives }).value, 2);
    assert.equal(run(p, 'h', [], { natives }).value, 7);
    assert.deepEqual(seen, [255, -1n, 1, 2n]);
    assert.equal(p.find('add8')?.parameters[0].width, 8);
    assert.equal(p.find('add8')?.location.path, 'model:natives.h');
  });

  test('C in the model comes before a native of the same name', () => {
    const natives: Native[] = [{ prototype: 'int f(void)', call: () => 1 }];
    assert.equal(run(program('int f(void) { return 2; }', { natives }), 'f', [], { natives }).value, 2);
  });

  test('a definition with other parameters than the caller gives is a problem at the call', () => {
    const p = program('int f(int a); int g(void) { return f(1); }', {
      overrides: [source('x.c', 'int f(int a, int b) { return a + b; }')],
    });
    assert.match(run(p, 'g').trap ?? '', /^C-TYPE: `f` takes 2 arguments, 1 given: it is defined in x\.c/);
  });
});

describe('surroundings', () => {
  const model = [
    file(
      'm/sev.c',
      '#define FACTOR 10\nstatic int shared_state = 4;\nstruct hidden { int a, b; };\nint model_function(void) { return shared_state; }',
    ),
  ];
  const surroundings = {
    model,
    headers: headers({
      'model.h': '#define ONE 1\nenum { TWO = ONE + 1 };\ntypedef int num;\nstruct pair { num x, y; };',
    }),
  };

  test('a patch sees the macros, types and statics of the model file of the same name, and its own', () => {
    const text = added('arch/x86/kvm/svm/sev.c', [
      'static int mine = 5;',
      'int patched(struct hidden *h)',
      '{',
      '\tshared_state += FACTOR * TWO;',
      '\treturn shared_state + mine + h->b + model_function();',
      '}',
      'int start(void)',
      '{',
      '\tstruct hidden h = { 1, 2 };',
      '\treturn patched(&h);',
      '}',
    ]);
    const p = program('', { ...surroundings, overrides: [patch(text)] });
    assert.deepEqual(p.problems, []);
    assert.equal(run(p, 'start').value, 24 + 5 + 2 + 24);
    const f = p.find('patched');
    assert.equal(f?.location.path, '0001.patch');
    assert.equal(f?.location.range.start.line, 4);
  });

  test('what a patch declares in a header its other files see', () => {
    const text =
      added('m/sev.h', ['struct extra { int n; };', 'int helper(struct extra *e);']) +
      added('m/other.c', ['int helper(struct extra *e)', '{', '\treturn e->n;', '}']) +
      added('m/sev.c', ['int start(void)', '{', '\tstruct extra e = { 9 };', '\treturn helper(&e);', '}']);
    const p = program('', { ...surroundings, overrides: [patch(text)] });
    assert.equal(run(p, 'start').value, 9);
  });

  test("a source's own type wins inside it", () => {
    const p = program('', {
      ...surroundings,
      overrides: [
        source(
          'mine.c',
          'struct pair { long pad; num x, y; }; int start(void) { struct pair p = { 1, 2, 3 }; return sizeof(p) * 10 + p.y; }',
        ),
      ],
    });
    assert.equal(run(p, 'start').value, 163);
    assert.equal(p.structSlots('pair'), 2);
  });

  test('a struct of the same name but another layout cannot be passed between files', () => {
    const own = 'struct pair { long pad; num x, y; }; int use_pair(struct pair *p);';
    const mine = source(
      'mine.c',
      `${own} int take(struct pair *p) { return p->y; } int give(void) { struct pair p; return use_pair(&p); }`,
    );
    const text =
      'int take(struct pair *p); int use_pair(struct pair *p) { return p->x; } int start(void) { struct pair p; return take(&p); }';
    const p = program('', { ...surroundings, model: [file('m/a.c', text)], overrides: [mine] });
    assert.match(run(p, 'start').trap ?? '', /^C-TYPE: `take` takes a pointer to `struct pair` as mine\.c defines it/);
    assert.match(
      run(p, 'give').trap ?? '',
      /^C-TYPE: `use_pair` takes a pointer to `struct pair` as m\/a\.c defines it/,
    );
  });

  test("a function that a patch changes without adding it is the model's, and that is said", () => {
    const text = added('m/sev.c', ['\tx++;'], ['@@'])
      .replace('@@ -1,1 +1,2 @@\n @@', '@@ -10,3 +10,4 @@ int model_function(void)\n \tint x = 0;\n \tx += 2;')
      .concat(' \treturn x;\n');
    const p = program('', { ...surroundings, overrides: [patch(text)] });
    const [first] = p.problems;
    assert.equal(first?.rule, 'PATCH');
    assert.equal(first?.severity, 'information');
    assert.match(
      first?.message ?? '',
      /changes `model_function` without adding all of it, so the model's version runs.*use source/,
    );
    assert.equal(p.find('model_function')?.override, false);
  });

  test('constants: macros, enumerators, expressions; nothing else', () => {
    const p = program(
      '#define MASK (~0ULL << 4)\n#define NOT_ONE 1 +\n#define SHIFT(x) (x)\nenum { IN_FILE = 77 };\nint v;\n#define VAR v\n',
      surroundings.headers.size > 0 ? { headers: surroundings.headers } : {},
    );
    assert.equal(p.constant('ONE'), 1);
    assert.equal(p.constant('TWO'), 2);
    assert.equal(p.constant('IN_FILE'), 77);
    assert.equal(p.constant('MASK'), 0xfffffffffffffff0n);
    for (const name of ['NOT_ONE', 'SHIFT', 'VAR', 'v', 'nothing']) assert.equal(p.constant(name), undefined);
  });

  test('slots of members, also nested and anonymous', () => {
    const p = program(
      'struct in { int a; long b; }; struct out { char c; union { struct in i; int j; }; struct in last; u64 f : 3, g : 4; };'.replace(
        'u64',
        'unsigned long',
      ),
    );
    assert.deepEqual(
      ['c', 'i', 'i.b', 'j', 'last', 'last.b', 'f', 'g', 'nope', 'c.x'].map((m) => p.memberSlot('out', m)),
      [0, 1, 2, 1, 3, 4, 5, 5, undefined, undefined],
    );
    assert.equal(p.structSlots('out'), 6);
    assert.equal(p.structSlots('none'), undefined);
  });

  test('a variable that several files declare is one', () => {
    const model2 = [
      file('a.c', 'extern int n; int a(void) { return ++n; }'),
      file('b.c', 'int n = 40;'),
      file('c.c', 'int n; extern int m; int c(void) { return a() + n; } int d(void) { return m; }'),
    ];
    const p = program('', { model: model2, headers: headers({ 'model.h': 'int a(void);' }) });
    assert.equal(run(p, 'c').value, 82);
    assert.match(run(p, 'd').trap ?? '', /C-UNDEFINED: `m` is declared, but no file in use defines it/);
  });

  test('sites number every instruction and lead back', () => {
    const p = program('int f(void) { return 1; } int g(void) { return f() + f(); }');
    const g = p.find('g');
    const f = p.find('f');
    assert.ok(g !== undefined && f !== undefined);
    const sites = new Set<number>();
    for (const { index } of [g, f]) {
      for (let pc = 0; pc < p.functionCode(index).code.length / 4; pc++) {
        const site = p.siteOf(index, pc);
        assert.ok(site >= 1);
        sites.add(site);
        assert.deepEqual(p.site(site), { function: index, pc });
      }
    }
    assert.equal(sites.size, (codeOf(p, 'f').code.length + codeOf(p, 'g').code.length) / 4);
    assert.equal(p.site(0), undefined);
    assert.equal(p.site(1e9), undefined);
  });

  test('describe tells what a caller must know', () => {
    const p = program(
      'typedef unsigned long long gfn_t; struct s { long a, b; };\nbool_t *f(gfn_t gfn, const struct s by_value, struct s *p, unsigned char c, int v[3]);'
        .replace('bool_t *', 'int ')
        .replace(/;$/, ' { return 0; }'),
    );
    const f = p.find('f');
    assert.deepEqual(
      f?.parameters.map((x) => [x.name, x.type, x.slots, x.kind, x.width, x.signed]),
      [
        ['gfn', 'gfn_t', 1, 'int', 64, false],
        ['by_value', 'struct s', 2, 'struct', 0, false],
        ['p', 'struct s *', 1, 'pointer', 64, false],
        ['c', 'unsigned char', 1, 'int', 8, false],
        ['v', 'int *', 1, 'pointer', 64, false],
      ],
    );
    assert.deepEqual(f?.returns, { type: 'int', kind: 'int', width: 32, signed: true });
  });
});
