/** Every instruction leads back to its source; notes tell what rules need to know. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CProgram } from '../../../../engine/c/program.ts';
import { type FunctionCode, NoteKind, Op, type Origin } from '../../../../engine/vm/bytecode.ts';
import { lineRow } from '../../../../engine/vm/line-table.ts';
import { codeOf, program, run } from './run.ts';

const textAt = (p: CProgram, o: Origin | undefined) =>
  o === undefined ? '' : p.files[o.file].text.slice(o.start, o.end);
const places = (p: CProgram, code: FunctionCode, op: number) =>
  [...Array(code.code.length / 4).keys()]
    .filter((pc) => code.code[pc * 4] === op)
    .map((pc) => textAt(p, lineRow(code, pc)?.origin));

describe('line table', () => {
  const p = program(`
#define CALL(x) two(x, one(x))
int one(int a) { return a; }
int two(int a, int b) { return a + b; }
int f(int n) {
	int x = one(n), y;
	y = two(one(1) + x,
		one(2));
	if (one(3))
		y = CALL(y);
	for (int i = one(4); i < two(5, 6); i += one(7)) {
		y++;
	}
	while (y > 1000)
		y -= one(8);
	return two(y, 9);
}`);
  const code = codeOf(p, 'f');

  test('a call is its exact range; made by a macro, the name that was used', () => {
    assert.deepEqual(places(p, code, Op.CALL), [
      'one(n)',
      'one(1)',
      'one(2)',
      'two(one(1) + x,\n\t\tone(2))',
      'one(3)',
      'CALL',
      'CALL',
      'one(4)',
      'two(5, 6)',
      'one(7)',
      'one(8)',
      'two(y, 9)',
    ]);
  });

  test('a debugger stops at every statement', () => {
    const stops = code.lines.filter((row) => row.statement).map((row) => textAt(p, row.origin));
    // The first instruction of a statement belongs to a call in it, where that comes first.
    assert.deepEqual(stops, [
      'one(n)',
      'one(1)',
      'one(3)',
      'CALL',
      'one(4)',
      'two(5, 6)',
      'y++',
      'one(7)',
      'y > 1000',
      'one(8)',
      'two(y, 9)',
    ]);
  });

  test('a loop is its keyword and condition', () => {
    assert.deepEqual(
      code.loops.map((loop) => textAt(p, loop.origin)),
      ['for (int i = one(4); i < two(5, 6); i += one(7))', 'while (y > 1000)'],
    );
  });

  test('locals have a name, a type and the range in which they live', () => {
    assert.deepEqual(
      code.locals.map((v) => [v.name, p.typeName(v.type), v.parameter]),
      [
        ['n', 'int', true],
        ['x', 'int', false],
        ['y', 'int', false],
        ['i', 'int', false],
      ],
    );
    const [n, , , i] = code.locals;
    assert.equal(n.from, 0);
    assert.equal(n.to, code.code.length / 4);
    assert.ok(i.from > 0 && i.to < n.to && i.from < i.to);
  });
});

describe('notes', () => {
  const kinds = (text: string, name: string, args: number[] = [], input = {}) => {
    const p = program(`typedef unsigned long long u64; typedef u64 gfn_t; typedef u64 other_t;\n${text}`, {
      progressTypes: ['gfn_t'],
      ...input,
    });
    const seen: [number, number, number][] = [];
    const outcome = run(p, name, args, { observer: { note: (kind, value, other) => seen.push([kind, value, other]) } });
    assert.equal(outcome.trap, undefined);
    return { seen, p };
  };
  const progress = (text: string) =>
    kinds(text, 'f', [0, 4]).seen.map(([kind, value, old]) => [kind === NoteKind.Progress ? old : Number.NaN, value]);

  test('a frame number that its loop tests and advances, in every spelling', () => {
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { while (a < end) a += 2; }'), [
      [0, 2],
      [2, 4],
    ]);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { gfn_t g; for (g = a; g < end; g++) ; }'), [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    assert.deepEqual(progress('void f(u64 a, u64 end) { int n = 3; for (gfn_t g = a; g + 1 < end; g = g + n) { } }'), [
      [0, 3],
    ]);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { do { a = 2 + a; } while (a != end); }'), [
      [0, 2],
      [2, 4],
    ]);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { while (a++ < end) ; }'), [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    assert.deepEqual(
      progress('void f(gfn_t a, gfn_t end) { for (;a < end;) { for (int i = 0; i < 1; i++) a += 4; } }'),
      [[0, 4]],
    );
  });

  test('nothing else is progress: another type, no loop, another condition, another direction', () => {
    assert.deepEqual(progress('void f(other_t a, u64 end) { while (a < end) a += 2; }'), []);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { a += end; a++; }'), []);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { for (int i = 0; i < 2; i++) a += end; }'), []);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { while (end > a) end -= 2; }'), []);
    assert.deepEqual(progress('void f(gfn_t a, gfn_t end) { while (a < end) { a = end; } }'), []);
  });

  const propagating = `#define __must_propagate __attribute__((snp_must_propagate))
    struct ops { int (*hook)(int) __must_propagate; int (*plain)(int); };
    __must_propagate int must(int x);
    int must_too(int x) __attribute__((snp_must_propagate));
    int free_call(int x) { return x; }
    int must(int x) { return x + 10; }
    int must_too(int x) { return x + 20; }
    struct ops ops = { .hook = free_call, .plain = must };
    void f(int x, int y) { int r; must(x); r = free_call(1); r = must_too(y); ops.hook(5); ops.plain(6); if (must(7)) r = 2; }`;
  const dropped = (input = {}) => {
    const { seen, p } = kinds(propagating, 'f', [1, 2], input);
    const notes = seen.filter(([kind]) => kind === NoteKind.MustPropagate).map(([, value]) => value);
    return { notes, at: places(p, codeOf(p, 'f'), Op.NOTE) };
  };

  test('a result that must be propagated, by name or through a member, at its call', () => {
    assert.deepEqual(dropped(), { notes: [11, 22, 5, 17], at: ['must(x)', 'must_too(y)', 'ops.hook(5)', 'must(7)'] });
  });

  test('a replacing definition without the attribute is no way out', () => {
    const overrides = [
      { kind: 'source' as const, source: { path: 'user.c', text: 'int must(int x) { return x + 100; }' } },
    ];
    assert.deepEqual(dropped({ overrides }).notes, [101, 22, 5, 107]);
  });
});

describe('the patch as it was mailed', () => {
  const folder = process.env.SNP_PATCH_DIR;
  const skip = folder === undefined ? 'SNP_PATCH_DIR not set' : false;
  const NAMES = ['snp_make_page_shared', 'order_to_level', 'sev_update_mem_attr'];

  test('its three functions compile without a problem against declarations alone', { skip }, () => {
    const text = readFileSync(join(folder ?? '', '0048-kvm-svm-snp-mem-attr-updates.mbox.txt'), 'utf8');
    const declarations = `
typedef unsigned char u8; typedef unsigned long long u64; typedef u64 gpa_t; typedef u64 gfn_t; typedef u64 kvm_pfn_t; typedef _Bool bool;
#define false 0
#define EINVAL 22
#define EPERM 1
enum pg_level { PG_LEVEL_NONE, PG_LEVEL_4K, PG_LEVEL_2M, PG_LEVEL_1G };
enum psc_op { SNP_PAGE_STATE_PRIVATE = 1, SNP_PAGE_STATE_SHARED };
#define PSC_INVALID_ENTRY 2
#define KVM_MAX_HUGEPAGE_LEVEL PG_LEVEL_1G
#define KVM_HPAGE_GFN_SHIFT(x) (((x) - 1) * 9)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
struct page; struct kvm { int dummy; }; struct kvm_memory_slot { struct kvm *kvm; };
struct kvm_sev_info { unsigned int asid; }; struct kvm_svm { struct kvm kvm; struct kvm_sev_info sev_info; };
static inline struct kvm_svm *to_kvm_svm(struct kvm *kvm) { return container_of(kvm, struct kvm_svm, kvm); }
int printk(const char *format, ...);
#define pr_debug printk
#define pr_err_ratelimited printk
#define pr_warn_ratelimited printk
`;
    const headers = new Map([['model.h', { path: 'model.h', text: declarations }]]);
    const p = program('', {
      headers,
      overrides: [{ kind: 'patch', source: { path: '0048.mbox', text } }],
      progressTypes: ['gfn_t'],
    });
    assert.deepEqual(p.problems, []);
    for (const name of NAMES) {
      assert.equal(p.find(name)?.override, true, name);
      const undefinedCalls = codeOf(p, name).problems.map((x) => x.rule);
      assert.ok(
        undefinedCalls.every((rule) => rule === 'C-UNDEFINED'),
        `${name}: ${JSON.stringify(codeOf(p, name).problems)}`,
      );
      assert.ok(codeOf(p, name).lines.every((row) => p.files[row.origin.file].path === '0048.mbox'));
    }
    const stubs = [
      'snp_lookup_rmpentry',
      'snp_rmptable_psmash',
      'rmp_make_shared',
      'rmp_make_private',
      'kvm_restrictedmem_get_pfn',
      'put_page',
      'pfn_to_page',
      'gfn_to_gpa',
      'sev_snp_guest',
      'kvm_slot_can_be_private',
      'printk',
    ];
    const q = program('', {
      headers,
      overrides: [{ kind: 'patch', source: { path: '0048.mbox', text } }],
      progressTypes: ['gfn_t'],
      stubs: stubs.map((name) => ({ name, value: 0 })),
    });
    for (const name of NAMES) assert.deepEqual(codeOf(q, name).problems, [], name);
    assert.deepEqual(places(q, codeOf(q, 'sev_update_mem_attr'), Op.NOTE), ['gfn++', 'gfn += npages']);
    assert.deepEqual(
      [run(q, 'order_to_level', [0]).value, run(q, 'order_to_level', [9]).value, run(q, 'order_to_level', [18]).value],
      [1, 2, 3],
    );
  });
});
