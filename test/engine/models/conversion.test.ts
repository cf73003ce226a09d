/**
 * KVM_SET_MEMORY_ATTRIBUTES in kvm-rfc-v8: what becomes of RMP, nested page table, direct map and references. Run on the model alone and, when
 * SNP_PATCH_DIR names the folder with RFC v8 patch 48, with that patch's functions in place of the model's: the results have to be the same.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CProgramInput } from '../../../engine/c/program.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { ModelMachine, type ModelOptions, PAGE, PRIVATE, SHARED } from './model-machine.ts';

const M2 = 512 * PAGE;
const patchFolder = process.env.SNP_PATCH_DIR;

function patches(): CProgramInput['overrides'] {
  if (patchFolder === undefined) return [];
  return readdirSync(patchFolder)
    .filter((name) => name.startsWith('0048'))
    .map((name) => ({
      kind: 'patch' as const,
      source: { path: name, text: readFileSync(join(patchFolder, name), 'utf8') },
    }));
}

for (const variant of ['model', 'patch 48'] as const) {
  const overrides = variant === 'model' ? [] : patches();
  const skip = variant !== 'model' && overrides.length === 0 ? 'SNP_PATCH_DIR not set' : false;
  const machine = (options: ModelOptions = {}) => new ModelMachine('kvm-rfc-v8', { ...options, overrides });

  describe(`${variant}: conversions`, { skip }, () => {
    test('4K shared to private: one RMPUPDATE, assigned and not validated, no reference left (C01)', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0x3000, PAGE, PRIVATE), 0);
      assert.equal(m.entry(g.pfn + 3), '4K gfn 0x3 asid 1');
      assert.equal(m.hardware.rmp.subpageCount(g.pfn), 1);
      assert.equal(m.kernel.attribute(1, 3), PRIVATE);
      assert.equal(m.assigned(g.pfn, 16), 1);
      assert.equal(m.events(EventKind.Rmpupdate).length, 1);
      assert.equal(m.kernel.references.outstanding, 0);
      assert.deepEqual(m.kernel.locks.held(), []);
      assert.deepEqual(m.log(), []);
    });

    test('4K private to shared: unassigned, the mapping is gone before the RMP changes (C02)', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, PRIVATE);
      m.hardware.guests.get(1)?.npt.map(0, g.pfn, 1, true);
      const from = m.trace.length;
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, SHARED), 0);
      assert.equal(m.entry(g.pfn), 'shared');
      assert.equal(m.hardware.guests.get(1)?.npt.walk(0), -1);
      const [zap] = m.events(EventKind.Npt, from);
      const [flush] = m.events(EventKind.TlbFlush, from);
      const [update] = m.events(EventKind.Rmpupdate, from);
      assert.ok(zap < flush && flush < update);
    });

    test('a 2M folio becomes one 2M entry when the range covers it (C03)', () => {
      const m = machine();
      const g = m.guest({ pages: 1024, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1');
      assert.equal(m.entry(g.pfn + 511), '2M gfn 0x1ff asid 1');
      assert.equal(m.entry(g.pfn + 512), 'shared');
      assert.equal(m.hardware.rmp.subpageCount(g.pfn), 0);
      assert.equal(m.events(EventKind.Rmpupdate).length, 1);
    });

    test('an unaligned start gives 4K entries up to the next 2M boundary (C04)', () => {
      const m = machine();
      const g = m.guest({ pages: 1024, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, PAGE, 1023 * PAGE, PRIVATE);
      assert.equal(m.entry(g.pfn), 'shared');
      assert.equal(m.entry(g.pfn + 511), '4K gfn 0x1ff asid 1');
      assert.equal(m.entry(g.pfn + 512), '2M gfn 0x200 asid 1');
      assert.equal(m.events(EventKind.Rmpupdate).length, 512);
    });

    test('a range that ends inside the folio gives 4K entries (C05)', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, 511 * PAGE, PRIVATE);
      assert.equal(m.entry(g.pfn + 510), '4K gfn 0x1fe asid 1');
      assert.equal(m.assigned(g.pfn, 512), 511);
    });

    test('of an order-4 folio only the first page is assigned, 15 are skipped (C06a)', () => {
      const m = machine();
      const g = m.guest({ pages: 32, order: 4 });
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, 32 * PAGE, PRIVATE), 0);
      assert.deepEqual(
        [0, 1, 15, 16, 17].map((i) => m.entry(g.pfn + i)),
        ['4K gfn 0x0 asid 1', 'shared', 'shared', '4K gfn 0x10 asid 1', 'shared'],
      );
      assert.equal(m.assigned(g.pfn, 32), 2);
      assert.equal(m.kernel.restricted.isAllocated(g.file, 15), true);
      const advances = m.events(EventKind.Progress).map((e) => m.trace.a[e]);
      assert.equal(advances.filter((a) => a === 16).length, 2);
    });

    test('of an order-10 folio only the first 2M are assigned (C06b)', () => {
      const m = machine();
      const g = m.guest({ pages: 1024, order: 10 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, 2 * M2, PRIVATE);
      assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1');
      assert.equal(m.assigned(g.pfn, 1024), 512);
    });

    test('of a 1G folio only the first 2M are assigned (C06c)', () => {
      const m = machine();
      const g = m.guest({ pages: 2 ** 18, order: 18 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, 2 ** 30, PRIVATE);
      assert.equal(m.events(EventKind.Rmpupdate).length, 1);
      assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1');
      assert.equal(m.entry(g.pfn + 512), 'shared');
    });

    test('a gfn that is aligned on a pfn that is not: FAIL_INPUT until the attempts are used up, and the ioctl says 0 (C07)', () => {
      const m = machine({ cpus: 2 });
      const g = m.guest({ pages: 512, order: 9, index: 1 });
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE), 0);
      const codes = m.events(EventKind.Rmpupdate).map((e) => m.trace.code[e]);
      assert.deepEqual(codes, new Array(8).fill(1));
      assert.equal(m.assigned(g.pfn, 1024), 0);
      assert.equal(m.kernel.attribute(1, 5), PRIVATE);
      assert.match(m.log()[0], /^RMPUPDATE failed after 8 attempts, ret: 1, pfn: 40001, npages: 512, level: 2$/);
      assert.match(m.log().at(-1) ?? '', /^Failed to update GFN range 0x0-0x200 with attributes 0x8\. Ret: -22$/);
    });

    test('a whole 2M entry to shared: one PSMASH, 512 RMPUPDATEs (C08)', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      const from = m.trace.length;
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, SHARED);
      assert.equal(m.events(EventKind.Psmash, from).length, 1);
      assert.equal(m.events(EventKind.Rmpupdate, from).length, 512);
      assert.equal(m.assigned(g.pfn, 512), 0);
      assert.equal(m.hardware.rmp.subpageCount(g.pfn), 0);
    });

    test('one page of a 2M entry to shared: one PSMASH, one 4K update, 511 keep Validated (C09)', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      const context = m.hardware.guests.get(1);
      context?.npt.map(0, g.pfn, 2, true);
      assert.equal(m.hardware.pvalidate(context as never, 0, 1, 1), 0);
      const from = m.trace.length;
      m.call('scenario_set_memory_attributes', g.kvm, 16 * PAGE, PAGE, SHARED);
      assert.equal(m.entry(g.pfn + 16), 'shared');
      assert.equal(m.entry(g.pfn + 17), '4K gfn 0x11 asid 1 validated');
      assert.equal(m.assigned(g.pfn, 512), 511);
      assert.deepEqual([m.events(EventKind.Psmash, from).length, m.events(EventKind.Rmpupdate, from).length], [1, 1]);
      assert.equal(context?.npt.walk(17), -1);
    });

    test('PSMASH that meets another CPU is not tried again: the attribute is shared, the page is not (C10)', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      m.hardware.contention.set(g.pfn, 1);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, SHARED), 0);
      assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1');
      assert.equal(m.kernel.attribute(1, 0), SHARED);
      assert.equal(m.log()[0], 'sev_update_mem_attr: failed op 2 gpa 0 pfn 40000 level 1 rc 3');
      const failed = m.events(EventKind.FailedResult).map((e) => m.trace.code[e]);
      assert.ok(failed.includes(3) && failed.includes(-22));
      assert.equal(m.kernel.references.outstanding, 0);
    });

    test('private to shared of a page that was never there allocates it and changes nothing else (C11, C64)', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, SHARED);
      assert.equal(m.kernel.restricted.isAllocated(g.file, 0), true);
      assert.equal(m.events(EventKind.Rmpupdate).length, 0);
      assert.equal(m.events(EventKind.DirectMap).length, 0);
    });

    test('a page that cannot be had is passed over, the rest is converted, the attribute stays (C12)', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.kernel.restricted.setFailure(g.file, 2, 3, 28);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, 4 * PAGE, PRIVATE), 0);
      assert.deepEqual(
        [0, 1, 2, 3].map((i) => m.entry(g.pfn + i) === 'shared'),
        [false, false, true, false],
      );
      assert.equal(m.kernel.attribute(1, 2), PRIVATE);
      assert.deepEqual(m.log(), ['sev_update_mem_attr: failed to retrieve gfn 0x2 from private FD']);
    });

    test('setting private again issues RMPUPDATE again (C13)', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, PRIVATE);
      const from = m.trace.length;
      m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, PRIVATE);
      assert.equal(m.events(EventKind.Rmpupdate, from).length, 1);
      assert.equal(m.events(EventKind.Attribute, from).length, 0);
    });

    test('2M over 4K entries of the launch: FAIL_OVERLAP, nothing after it is converted, the ioctl says 0 (C14)', () => {
      const m = machine({ cpus: 2 });
      const g = m.guest({ pages: 1024, order: 9 });
      assert.equal(m.call('scenario_launch_update', g.kvm, PAGE, PAGE, 1), 0);
      assert.equal(m.entry(g.pfn + 1), '4K gfn 0x1 asid 1 validated');
      const from = m.trace.length;
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, 2 * M2, PRIVATE), 0);
      assert.deepEqual(
        m.events(EventKind.Rmpupdate, from).map((e) => m.trace.code[e]),
        new Array(8).fill(4),
      );
      assert.equal(m.assigned(g.pfn, 1024), 1);
      assert.equal(m.kernel.attribute(1, 1023), PRIVATE);
      assert.ok(m.log().includes('Call Trace:'));
      assert.equal(m.kernel.references.outstanding, 0);
    });

    test('after make_private the direct map is split to 4K and all there again (C17)', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      assert.equal(m.kernel.directMap.level(g.pfn), 3);
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      for (const pfn of [g.pfn, g.pfn + 511]) {
        assert.equal(m.kernel.directMap.present(pfn), true);
        assert.equal(m.kernel.directMap.level(pfn), 1);
      }
      assert.equal(m.kernel.directMap.level(g.pfn + 512), 2);
      // The first page splits the 1G mapping, the others only go; then all come back.
      assert.deepEqual(
        m.events(EventKind.DirectMap).map((e) => m.trace.code[e]),
        [1, 511, 512],
      );
    });

    test('a slot that cannot be private: EPERM inside, 0 outside, and a warning', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.call('scenario_add_slot', g.kvm, 1, 64, 16, 0, -1, 0, 0x90000);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 64 * PAGE, PAGE, PRIVATE), 0);
      assert.deepEqual(m.log(), [
        'sev_update_mem_attr: memslot for gfn: 0x40 is not private.',
        'Failed to update GFN range 0x40-0x41 with attributes 0x8. Ret: -1',
      ]);
      assert.deepEqual(
        m.events(EventKind.FailedResult).map((e) => m.trace.code[e]),
        [-1],
      );
      const slot = m.call('scenario_slot', g.kvm, 1);
      assert.equal(m.call('sev_update_mem_attr', slot, PRIVATE, 64, 65), -1);
    });

    test('a range over two slots reaches each of them clamped, and no gfn outside (C62)', () => {
      const m = machine();
      const g = m.guest({ pages: 4, baseGfn: 4 });
      m.kernel.restricted.createFile({ id: 9, extents: [{ index: 0, pages: 4, pfn: 0x60000 as never, order: 0 }] });
      m.call('scenario_add_slot', g.kvm, 1, 12, 4, 1, 9, 0, 0x90000);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 6 * PAGE, 8 * PAGE, PRIVATE), 0);
      assert.deepEqual([m.assigned(g.pfn, 4), m.assigned(0x60000, 4)], [2, 2]);
      assert.equal(m.entry(0x60001), '4K gfn 0xd asid 1');
    });

    test('the RMP of a guest without SNP is left alone', () => {
      const m = machine();
      const g = m.guest({ pages: 4, snp: false });
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, PRIVATE), 0);
      assert.equal(m.events(EventKind.Rmpupdate).length, 0);
    });

    test('the ioctl refuses what is not a range of pages', () => {
      const m = machine();
      const g = m.guest({ pages: 4 });
      for (const [gpa, size, attributes] of [
        [1, PAGE, 8],
        [0, 100, 8],
        [0, 0, 8],
        [0, PAGE, 16],
      ]) {
        assert.equal(m.call('scenario_set_memory_attributes', g.kvm, gpa, size, attributes), -22);
      }
    });

    test('a store that fails ends the range, and what was stored is converted', () => {
      const m = machine();
      const g = m.guest({ pages: 16 });
      m.kernel.attributes.setFailure(1, 2, 12);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, 4 * PAGE, PRIVATE), 0);
      assert.equal(m.assigned(g.pfn, 4), 2);
      assert.equal(m.kernel.attribute(1, 2), SHARED);
    });

    test('undo takes a conversion back whole', () => {
      const m = machine();
      const g = m.guest({ pages: 512, order: 9 });
      const mark = { journal: m.journal.mark(), trace: m.trace.length };
      const before = m.hardware.rmp.rawLow(g.pfn as never);
      m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
      m.call('scenario_set_memory_attributes', g.kvm, PAGE, PAGE, SHARED);
      m.journal.undoTo(mark.journal);
      m.trace.truncate(mark.trace);
      assert.equal(m.hardware.rmp.rawLow(g.pfn as never), before);
      assert.equal(m.kernel.attribute(1, 0), SHARED);
      assert.equal(m.kernel.directMap.level(g.pfn), 3);
      assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE), 0);
      assert.equal(m.entry(g.pfn), '2M gfn 0x0 asid 1');
    });
  });
}
