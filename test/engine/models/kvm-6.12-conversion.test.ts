/**
 * kvm-6.12, from attribute to RMP and back: the attribute ioctl, the first private access, and the hole in the guest_memfd. With folios of one page
 * as in v6.12, and of 2M as in the trees that have them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { access, atRest, context, M2, machine, punchHole, pvalidate, REST, setAttributes } from './kvm-6.12-machine.ts';
import { PAGE, PRIVATE, SHARED } from './model-machine.ts';

test('every function of the model compiles without a problem', () => {
  const { program } = machine();
  assert.deepEqual(program.problems, []);
  const names = [...program.names()];
  assert.ok(names.length > 150);
  for (const name of names) {
    const found = program.find(name);
    if (found !== undefined) assert.deepEqual(program.functionCode(found.index).problems, [], name);
  }
});

test('the attribute alone changes no RMP entry; the first private access does, at 4K (C01)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(setAttributes(m, g, 0x3000, PAGE, PRIVATE), 0);
  assert.equal(m.entry(g.pfn + 3), 'shared');
  assert.equal(m.events(EventKind.Rmpupdate).length, 0);
  assert.equal(access(m, g, 0x3000, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn + 3), '4K gfn 0x3 asid 1');
  assert.equal(pvalidate(m, g, 0x3000), 'ok');
  assert.equal(access(m, g, 0x3000, Access.Write), 'ok');
  assert.equal(m.assigned(g.pfn, 16), 1);
  assert.equal(m.events(EventKind.Rmpupdate).length, 1);
  assert.deepEqual(m.log(), []);
  assert.deepEqual(atRest(m), REST);
});

test('to shared: the ioctl only zaps, the RMP stays private until the hole is punched (C02)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  pvalidate(m, g, 0);
  let from = m.trace.length;
  assert.equal(setAttributes(m, g, 0, PAGE, SHARED), 0);
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1 validated');
  assert.equal(context(m, g).npt.walk(0), -1);
  assert.equal(m.events(EventKind.Rmpupdate, from).length, 0);
  const [zap] = m.events(EventKind.Npt, from);
  const [flush] = m.events(EventKind.TlbFlush, from);
  const [store] = m.events(EventKind.Attribute, from);
  assert.ok(zap < flush && flush < store);

  from = m.trace.length;
  assert.equal(punchHole(m, g, 0, PAGE), 0);
  assert.equal(m.entry(g.pfn), 'shared');
  assert.equal(m.kernel.restricted.isAllocated(g.file, 0), false);
  assert.equal(m.events(EventKind.Rmpupdate, from).length, 1);
  assert.deepEqual(atRest(m), REST);
});

test('a hole in private memory that is mapped: the mapping goes before the RMP entry does', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, 2 * PAGE, PRIVATE);
  pvalidate(m, g, 0);
  const from = m.trace.length;
  assert.equal(punchHole(m, g, 0, PAGE), 0);
  const [zap] = m.events(EventKind.Npt, from);
  const [flush] = m.events(EventKind.TlbFlush, from);
  const [update] = m.events(EventKind.Rmpupdate, from);
  assert.ok(zap < flush && flush < update);
  assert.equal(access(m, g, 0, Access.Read), '#VC');
});

test('private, shared without a hole, private again: the page is still assigned and still validated (C13, 5.4)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  pvalidate(m, g, 0);
  const from = m.trace.length;
  assert.equal(setAttributes(m, g, 0, PAGE, PRIVATE), 0);
  assert.equal(m.trace.length - m.events(EventKind.Lock, from).length, from, 'no change, no event');
  setAttributes(m, g, 0, PAGE, SHARED);
  assert.equal(access(m, g, 0, Access.Write, 0), 'ok after 1');
  setAttributes(m, g, 0, PAGE, PRIVATE);
  assert.equal(access(m, g, 0, Access.Read), 'ok after 1');
  assert.equal(m.events(EventKind.Rmpupdate, from).length, 0);
});

test('a range over two slots and a gap: each slot is zapped for its own part', () => {
  const m = machine();
  const g = m.guest({ pages: 4, baseGfn: 4 });
  m.call('scenario_add_slot', g.kvm, 1, 12, 4, 0, -1, 0, 0x90000);
  for (const gfn of [5, 6, 13]) context(m, g).npt.map(gfn, 0x80000 + gfn, 1, true);
  assert.equal(setAttributes(m, g, 6 * PAGE, 7 * PAGE, PRIVATE), 0);
  assert.deepEqual(
    [5, 6, 13].map((gfn) => context(m, g).npt.walk(gfn) >= 0),
    [true, false, true],
  );
  assert.equal(setAttributes(m, g, 1000 * PAGE, PAGE, PRIVATE), 0);
  assert.equal(m.kernel.attribute(1, 1000), PRIVATE);
  assert.deepEqual(atRest(m), REST);
});

test('no room for one attribute: nothing at all changes, and the ioctl says so', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  context(m, g).npt.map(0, 0x80000, 1, true);
  m.kernel.attributes.setFailure(1, 9, 12);
  assert.equal(setAttributes(m, g, 0, 16 * PAGE, PRIVATE), -12);
  assert.equal(m.kernel.attribute(1, 0), SHARED);
  assert.equal(context(m, g).npt.walk(0), 0x80000);
  assert.deepEqual(atRest(m), REST);
});

test('arguments of the ioctl, and a guest without private memory', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(setAttributes(m, g, 1, PAGE, PRIVATE), -22);
  assert.equal(setAttributes(m, g, 0, 0, PRIVATE), -22);
  assert.equal(setAttributes(m, g, 0, PAGE, 1), -22);
  const plain = m.guest({ asid: 2, pages: 16, pfn: 0x50000, snp: false });
  assert.equal(setAttributes(m, plain, 0, PAGE, PRIVATE), -22);
});

test('folios of one page: 2M stay 512 entries of 4K, whatever the slot says (the default)', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  assert.equal(access(m, g, 0x5000, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn + 5), '4K gfn 0x5 asid 1');
  assert.equal(m.assigned(g.pfn, 512), 1);
  assert.equal(context(m, g).npt.lookup(5)?.level, 1);
});

test('a 2M folio with nothing assigned becomes one 2M entry at the first access (C03)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
  assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1 validated');
  assert.equal(m.entry(g.pfn + 511), '2M gfn 0x1ff asid 1 validated');
  assert.equal(m.entry(g.pfn + 512), 'shared');
  assert.equal(m.events(EventKind.Rmpupdate).length, 1);
  assert.equal(context(m, g).npt.lookup(7)?.level, 2);
  assert.equal(m.kernel.directMap.level(g.pfn), 3, 'a 2M update leaves the direct map alone');
  assert.deepEqual(atRest(m), REST);
});

test('a whole 2M entry is taken back with one RMPUPDATE (C08, C37)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, 0, 2 * M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  pvalidate(m, g, M2, 1);
  setAttributes(m, g, 0, M2, SHARED);
  const from = m.trace.length;
  assert.equal(punchHole(m, g, 0, M2), 0);
  assert.equal(m.events(EventKind.Psmash, from).length, 0);
  assert.deepEqual(
    m.events(EventKind.Rmpupdate, from).map((e) => [m.trace.page[e], m.trace.code[e], m.trace.a[e] & 3]),
    [[g.pfn, 0, 2]],
  );
  assert.equal(m.assigned(g.pfn, 512), 0);
  assert.equal(m.entry(g.pfn + 512), '2M gfn 0x200 asid 1 validated');
});

test('one page of a 2M entry: the ioctl splits nothing, the hole does, and 511 keep Validated (C09)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  setAttributes(m, g, 16 * PAGE, PAGE, SHARED);
  assert.equal(m.entry(g.pfn + 16), '2M gfn 0x10 asid 1 validated');
  assert.equal(context(m, g).npt.walk(17), -1, 'the 2M mapping went as a whole');
  const from = m.trace.length;
  assert.equal(punchHole(m, g, 16 * PAGE, PAGE), 0);
  assert.equal(m.entry(g.pfn + 16), 'shared');
  assert.equal(m.entry(g.pfn + 17), '4K gfn 0x11 asid 1 validated');
  assert.equal(m.assigned(g.pfn, 512), 511);
  assert.deepEqual([m.events(EventKind.Psmash, from).length, m.events(EventKind.Rmpupdate, from).length], [1, 1]);
  assert.deepEqual(atRest(m), REST);
});

test('there and back: only the page that was shared has to be validated again (C16)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  setAttributes(m, g, 16 * PAGE, PAGE, SHARED);
  punchHole(m, g, 16 * PAGE, PAGE);
  setAttributes(m, g, 16 * PAGE, PAGE, PRIVATE);
  assert.equal(access(m, g, 16 * PAGE, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn + 16), '4K gfn 0x10 asid 1');
  assert.equal(access(m, g, 17 * PAGE, Access.Read), 'ok after 1');
  assert.equal(pvalidate(m, g, 16 * PAGE), 'ok');
  assert.equal(m.assigned(g.pfn, 512), 512);
});

test('PSMASH that meets another CPU is tried again until it is done (C10)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  setAttributes(m, g, 0, PAGE, SHARED);
  m.hardware.contention.set(g.pfn, 3);
  assert.equal(punchHole(m, g, 0, PAGE), 0);
  assert.deepEqual(
    m.events(EventKind.Psmash).map((e) => m.trace.code[e]),
    [3, 3, 3, 0],
  );
  assert.equal(m.entry(g.pfn), 'shared');
  assert.deepEqual(m.log(), []);
});

test('pages of the launch in a 2M folio: the rest becomes 4K, and no overlap is ever tried (C14)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, PAGE, PAGE, PRIVATE);
  assert.equal(m.call('scenario_launch_update', g.kvm, PAGE, PAGE, 1), 0);
  assert.equal(m.entry(g.pfn + 1), '4K gfn 0x1 asid 1 validated');
  assert.equal(setAttributes(m, g, 0, 2 * M2, PRIVATE), 0);
  assert.equal(access(m, g, 7 * PAGE, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn + 7), '4K gfn 0x7 asid 1');
  assert.equal(m.assigned(g.pfn, 512), 2);
  assert.equal(access(m, g, PAGE, Access.Read), 'ok after 1');
  assert.equal(pvalidate(m, g, M2, 1), 'ok after 1');
  assert.equal(m.entry(g.pfn + 512), '2M gfn 0x200 asid 1 validated');
  assert.ok(m.events(EventKind.Rmpupdate).every((e) => m.trace.code[e] === 0));
});

test('a slot at an odd place of its file: a warning, and the guest gets a page that is not the one behind its gfn (C07)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9, index: 1 });
  setAttributes(m, g, 0, 2 * M2, PRIVATE);
  assert.equal(access(m, g, 0x5000, Access.Read), '#VC');
  assert.match(m.log()[0], /^WARNING: .*IS_ALIGNED\(slot->gmem\.pgoff/);
  assert.equal(m.kernel.privateBacking(1, 5)?.pfn, g.pfn + 6);
  assert.equal(m.entry(g.pfn + 6), '2M gfn 0x6 asid 1');
  assert.equal(context(m, g).npt.walk(5), g.pfn + 5);
});

test('a 4K update splits the direct map of its page and leaves it mapped; nothing joins it again', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  access(m, g, 0, Access.Read);
  assert.deepEqual([m.kernel.directMap.level(g.pfn), m.kernel.directMap.present(g.pfn)], [1, true]);
  assert.equal(m.kernel.directMap.level(g.pfn + 512), 2);
  punchHole(m, g, 0, PAGE);
  assert.equal(m.kernel.directMap.level(g.pfn), 1);
});

test('FAIL_OVERLAP for a moment is waited out, however often (C58)', () => {
  const m = machine({ cpus: 1 });
  const g = m.guest({ pages: 16 });
  m.hardware.contention.set(g.pfn + 5, 100);
  assert.equal(m.call('rmp_make_private', g.pfn, 0, 1, 1, 0), 0);
  assert.equal(m.events(EventKind.Rmpupdate).length, 101);
  assert.deepEqual(m.log(), []);
});

test('FAIL_OVERLAP that stays never ends', () => {
  const m = machine({ loopBudget: 1000 });
  const g = m.guest({ pages: 512, order: 9 });
  assert.equal(m.call('rmp_make_private', g.pfn + 1, 0x1000, 1, 1, 0), 0);
  assert.throws(() => m.call('rmp_make_private', g.pfn, 0, 2, 1, 0), /rmpupdate/);
  assert.ok(m.events(EventKind.Rmpupdate).length > 500);
});

test('RMPUPDATE that fails says so once, dumps and gives EFAULT; an unaligned 2M page does not get as far', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('rmp_make_private', g.pfn, 0, 1, 1, 1);
  assert.equal(m.call('rmp_make_shared', g.pfn, 1), -14);
  assert.deepEqual(m.log(), [
    'SEV-SNP: RMPUPDATE failed for PFN 40000, pg_level: 1, ret: 2',
    'SEV-SNP: PFN 0x40000, RMP entry: [0x0008000000000005 - 0x000000000000000f]',
    'Call Trace:',
  ]);
  const from = m.events(EventKind.Rmpupdate).length;
  assert.equal(m.call('rmp_make_private', g.pfn + 513, 0, 2, 1, 0), -14);
  assert.equal(m.events(EventKind.Rmpupdate).length, from);
});

test('the lookup tells failure from state, and leaves what it does not know alone', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  m.call('rmp_make_private', g.pfn, 0, 2, 1, 0);
  const assigned = m.vm.memory.allocate(1);
  const assignedSlot = m.vm.memory.top - 1;
  const level = m.vm.memory.allocate(1);
  const lookup = (pfn: number) => {
    const { values } = m.vm.memory.slots;
    return [m.call('snp_lookup_rmpentry', pfn, assigned, level), values[assignedSlot], values[assignedSlot + 1]];
  };
  assert.deepEqual(lookup(g.pfn + 7), [0, 1, 2]);
  assert.deepEqual(lookup(g.pfn + 512), [0, 0, 1]);
  assert.deepEqual(lookup(2 ** 20), [-14, 0, 1]);
  const off = machine({ kernel: { snp: false } });
  assert.equal(off.call('snp_lookup_rmpentry', 1, off.vm.memory.allocate(1), off.vm.memory.allocate(1)), -19);
  assert.equal(off.call('psmash', 1), -19);
});

test('the dump of an unassigned page shows the whole region', () => {
  const m = machine();
  const g = m.guest({ pages: 512 });
  m.call('rmp_make_private', g.pfn + 1, 0x1000, 1, 1, 0);
  m.call('scenario_kernel_rmp_fault', g.pfn + 9, 0x80000003);
  m.call('snp_dump_hva_rmpentry', 0x1000);
  assert.deepEqual(m.log(), [
    'BUG: unable to handle page fault for address: ffff888040009000',
    '#PF: supervisor write access in kernel mode',
    '#PF: error_code(0x80000003) - RMP violation',
    'SEV-SNP: PFN 0x40009 unassigned, dumping non-zero entries in 2M PFN region: [0x40000 - 0x40200]',
    'SEV-SNP: PFN: 0x40000, [0x0000000000000008 - 0x0000000000000000]',
    'SEV-SNP: PFN: 0x40001, [0x0008000000001001 - 0x000000000000000f]',
    "SEV-SNP: Can't dump RMP entry for HVA 1000: no PTE/PFN found",
  ]);
});

test('leaked pages: each is on the list once and counted', () => {
  const m = machine();
  m.call('snp_leak_pages', 0x500, 3);
  assert.deepEqual(m.kernel.leaked.list, [0x500, 0x501, 0x502]);
  assert.equal(m.kernel.leaked.corrupted, false);
  assert.equal(m.call('snp_leaked_pages_count'), 3);
  assert.equal(m.log()[0], 'SEV-SNP: Leaking PFN range 0x500-0x503');
});

test('undo takes a page from uptodate to untouched', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  const mark = m.journal.mark();
  const length = m.trace.length;
  access(m, g, 0, Access.Read);
  assert.equal(m.kernel.gmem.isUptodate(g.pfn), true);
  m.journal.undoTo(mark);
  m.trace.truncate(length);
  assert.equal(m.kernel.gmem.isUptodate(g.pfn), false);
  assert.equal(m.entry(g.pfn), 'shared');
  assert.equal(access(m, g, 0, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1');
});

test('a hole in one page leaves the pages beside it as they were, and they go with a later hole', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, 3 * PAGE, PRIVATE);
  for (const gpa of [0, PAGE, 2 * PAGE]) pvalidate(m, g, gpa);
  punchHole(m, g, PAGE, PAGE);
  assert.equal(access(m, g, PAGE, Access.Read), '#VC');
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1 validated');
  punchHole(m, g, 0, M2);
  assert.equal(m.assigned(g.pfn, 512), 0);
});
