// RMPADJUST, RMPQUERY, RMPREAD and DMA from the language.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from './check-text.ts';

const run = (steps: string, host = ''): string[] =>
  lines(
    checkText(
      `use kernel "kvm-rfc-v8"\n${host}guest g {\nasid 1\nvcpus 2\nslot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "s" {\nvmm.set_memory_attributes(g, 64K +4K, PRIVATE)\ng.pvalidate(64K)\n${steps}\n}\n`,
    ),
  );

test('permissions are given, asked for, and kept', () => {
  assert.deepEqual(
    run(`g.vmpl(1).write(64K)     => #NPF(RMP|VMPL|ENC)
      g.rmpadjust(64K, vmpl 1, perms 3)
      g.rmpquery(64K, vmpl 1)  => 3
      g.vmpl(1).write(64K)
      g.vmpl(1).rmpadjust(64K, vmpl 2, perms 4)  => FAIL_PERMISSION
      g.vmpl(1).rmpquery(64K, vmpl 1)            => FAIL_PERMISSION
      expect rmp(g, 64K) is { vmpl0 0xf, vmpl1 3, vmpl2 0 }
      g.rmpquery(64K, vmpl 2)
      expect count(rmpadjust) is 0`),
    [],
  );
});

test('a guest makes its own VMSA page and takes it back', () => {
  assert.deepEqual(
    run(`g.rmpadjust(64K, vmpl 1, vmsa)
      expect rmp(g, 64K) is { vmsa }
      expect count(rmpadjust) is 1
      g.rmpadjust(64K, vmpl 1)
      expect rmp(g, 64K) is { vmsa false }`),
    [],
  );
});

test('sizes that differ and pages that are not validated', () => {
  assert.deepEqual(
    run(`g.rmpadjust(0, 2M, vmpl 1)  => any
      g.pvalidate(64K, invalid)
      g.rmpadjust(64K, vmpl 1)  => #VC(0x404)
      g.rmpquery(64K)           => #VC(0x404)
      g.pvalidate(64K)
      g.rmpadjust(64K, vmpl 1, perms 0x20)  => FAIL_INPUT`),
    [],
  );
});

test('RMPREAD gives the second quadword of its format', () => {
  assert.deepEqual(
    run(`cpu.rmpread(pfn(g, 64K))  => 0x100000001
      cpu.rmpread(pfn(g, 0))   => 0x200
      cpu.rmpread(0x100000)    => FAIL_INPUT`),
    [],
  );
});

test('what the IOMMU stops is in the kernel log', () => {
  assert.deepEqual(
    run(`dev.read(pfn(g, 64K))   => RMP_PAGE_FAULT
      dev.write(pfn(g, 64K))  => RMP_PAGE_FAULT
      expect log contains "RMP_PAGE_FAULT vmg_tag=0x0000, gpa=0x40010000, flags_rmp=0x0000, flags=0x0020"
      dev.read(pfn(g, 128K))`),
    [],
  );
});
