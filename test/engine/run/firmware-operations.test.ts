// The firmware commands as a scenario gives them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from './check-text.ts';

const run = (steps: string, kernel = 'kvm-rfc-v8'): string[] =>
  lines(
    checkText(
      `use kernel "${kernel}"\nhost {\noption psmash-immutable = allow\n}\nguest g {\nasid 1\nslot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "s" {\n${steps}\n}\n`,
    ),
  );

test('a guest is decommissioned and another launched in its place, by commands', () => {
  assert.deepEqual(
    run(`fw.snp_decommission(g)
      fw.snp_launch_start(g)    => INVALID_GUEST
      cpu.rmpupdate(0x1000, assigned, immutable)
      expect state(0x1000) is FIRMWARE
      fw.snp_gctx_create(g, 0x1000)
      expect state(0x1000) is CONTEXT
      fw.snp_activate(g)        => INVALID_GUEST_STATE
      fw.snp_launch_start(g)
      fw.snp_activate(g)        => DFFLUSH_REQUIRED
      fw.snp_df_flush()
      fw.snp_activate(g)
      cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, assigned, immutable)
      fw.snp_launch_update(g, pfn(g, 0), CPUID, rejected)  => INVALID_PARAM
      expect state(g, 0) is PRE_GUEST
      fw.snp_launch_update(g, pfn(g, 0), CPUID)
      fw.snp_launch_finish(g)
      fw.snp_launch_finish(g)   => INVALID_GUEST_STATE
      fw.snp_guest_request(g, 0x1001, 0x1002)  => INVALID_PAGE_STATE
      expect state(g, 0) is GUEST_VALID`),
    [],
  );
});

test('a leaked page poisons the ASID', () => {
  assert.deepEqual(
    run(`cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, assigned)
      fw.snp_decommission(g)
      fw.snp_df_flush()
      cpu.rmpupdate(0x1000, assigned, immutable)
      fw.snp_gctx_create(g, 0x1000)
      fw.snp_launch_start(g)
      fw.snp_activate(g)  => INVALID_CONFIG  allow ASIDCNT "what this is about"`),
    [],
  );
});

test('SNP_INIT lays out the RMP, and RMPUPDATE cannot take what is fixed', () => {
  assert.deepEqual(
    run(`fw.snp_init()  => INVALID_PLATFORM_STATE
      fw.snp_decommission(g)
      fw.snp_df_flush()
      fw.snp_shutdown()
      fw.snp_init(rmp pfn(0x56600) +256, fixed pfn(0x1000) +16, iommu pfn(0x2000) +1)
      expect subpage_count(0x56600) is 255
      expect rmp(0x56600) is { firmware, locked, immutable }
      expect state(0x1000) is HV_FIXED
      expect state(0x2000) is FIRMWARE_IOMMU
      fw.snp_page_reclaim(0x56601)  => INVALID_PARAM
      cpu.rmpupdate(0x1001, asid 0, assigned)  => FAIL_PERMISSION`),
    [],
  );
});

test('a split region is one 2M entry again', () => {
  assert.deepEqual(
    run(`cpu.rmpupdate(0x80000, gpa 0, asid 1, 2M, assigned, immutable)
      cpu.psmash(0x80000)
      expect subpage_count(0x80000) is 511
      expect rmp(0x80007) is 4K
      fw.snp_page_unsmash(0x80001)  => INVALID_PARAM
      fw.snp_page_unsmash(0x80000)
      expect rmp(0x80007) is { 2M, gpa 28K }
      expect subpage_count(0x80000) is 0
      fw.snp_page_unsmash(0x80000)  => INVALID_PAGE_STATE`),
    [],
  );
});

test('swapping out and in, by metadata', () => {
  assert.deepEqual(
    run(`cpu.rmpupdate(0x1001, assigned, immutable)
      cpu.rmpupdate(0x1002, assigned, immutable)
      cpu.rmpupdate(0x1003, gpa 0x7000, asid 1, assigned, immutable)
      cpu.rmpupdate(0x1004, gpa 0x7000, asid 1, assigned, immutable)
      fw.snp_page_md_init(g, 0x1001)
      expect state(0x1001) is METADATA
      fw.snp_page_swap_out(g, 0x1003, 0x1002, metadata 0x1001, entry 5)
      fw.snp_page_swap_in(g, 0x1002, 0x1004, metadata 0x1001, entry 4)  => INVALID_MDATA_ENTRY
      fw.snp_page_swap_in(g, 0x1002, 0x1004, metadata 0x1001, entry 5)
      fw.snp_page_move(g, 0x1004, 0x1003)
      expect state(0x1003) is GUEST_INVALID
      fw.snp_page_set_state(pfn(0x1000) +2)  => INVALID_PAGE_STATE`),
    [],
  );
});

for (const kernel of ['kvm-rfc-v8', 'kvm-6.12']) {
  test(`${kernel} finishes the launch with the firmware, which takes no page from then on`, () => {
    assert.deepEqual(
      run(
        `cpu.rmpupdate(0x80000, gpa 0, asid 1, assigned, immutable)
        fw.snp_launch_start(g)   => INVALID_GUEST_STATE
        vmm.launch_finish(g)  allow LAUNCH "the page below"
        fw.snp_launch_update(g, 0x80000)  => INVALID_GUEST_STATE
        fw.snp_launch_finish(g)  => INVALID_GUEST_STATE`,
        kernel,
      ),
      [],
    );
  });
}
