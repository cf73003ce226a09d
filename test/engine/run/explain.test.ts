// Why an instruction or a firmware command was refused, as the diagnostic of its step tells it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from './check-text.ts';

/** What is said of the last step, without place, rule and suggestion. */
function told(steps: readonly string[]): string {
  const text = `use kernel "kvm-rfc-v8"\nhost {\nmemory 4G\n\n}\nguest g {\nasid 1\nvcpus 2\nslot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "s" {\n${steps.join('\n')}\n}\n`;
  const last = text.split('\n').length - 2;
  const found = lines(checkText(text)).filter((line) => /^\d+:\d+ \w+ (OUTCOME|FAULT) /.test(line));
  assert.equal(found.length, 1, [text, ...lines(checkText(text))].join('\n'));
  assert.ok(found[0].startsWith(`${last}:`), `${found[0]}: not about line ${last}`);
  return found[0].replace(/^\S+ \w+ \w+ /, '').replace(/( This depends on .*)? If that is meant: .*$/, '');
}

const PRIVATE = 'vmm.set_memory_attributes(g, 64K +4K, PRIVATE)';
const VALID = [PRIVATE, 'g.pvalidate(64K)'];
const SINCE = 'since line 12 (vmm.set_memory_attributes)';

test('RMPADJUST', () => {
  const adjust = (...steps: string[]): string => told([...VALID, ...steps]);
  assert.equal(
    told([PRIVATE, 'g.rmpadjust(64K, vmpl 1, perms 3)']),
    `RMPADJUST for VMPL1 of GPA 0x10000: #VC(0x404), the page is not validated ${SINCE}.`,
  );
  assert.equal(
    adjust('g.rmpadjust(64K, vmpl 0)'),
    'RMPADJUST for VMPL0 of GPA 0x10000: FAIL_PERMISSION, VMPL0 may change less privileged VMPLs only, and not VMPL0.',
  );
  assert.equal(
    adjust('g.rmpadjust(64K, vmpl 1, perms 3)', 'g.vmpl(1).rmpadjust(64K, vmpl 2, perms 5)'),
    'RMPADJUST for VMPL2 of GPA 0x10000: FAIL_PERMISSION, VMPL1 has rw--- itself and cannot give r-x-- since line 14 (g.rmpadjust).',
  );
  assert.match(adjust('g.rmpadjust(64K, vmpl 4)'), /FAIL_INPUT, there is no VMPL4\.$/);
  assert.match(adjust('g.rmpadjust(64K, vmpl 1, perms 0x20)'), /FAIL_INPUT, RDX has reserved bits set\.$/);
  assert.equal(
    adjust('g.rmpadjust(64K, 2M, vmpl 1)'),
    'RMPADJUST 2M for VMPL1 of GPA 0x10000: FAIL_INPUT, the address is not 2M-aligned.',
  );
  assert.equal(
    told([
      'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
      'g.pvalidate(0, 2M)',
      'cpu.psmash(pfn(g, 0))',
      'g.rmpadjust(0, 2M, vmpl 1)',
    ]),
    'RMPADJUST 2M for VMPL1 of GPA 0x0: FAIL_SIZEMISMATCH, the page is 4K in the RMP or in the NPT since line 14 (cpu.psmash). Fall back to 512 × 4K.',
  );
});

test('RMPQUERY', () => {
  assert.equal(
    told([...VALID, 'g.vmpl(1).rmpquery(64K, vmpl 0)']),
    'RMPQUERY about VMPL0 of GPA 0x10000: FAIL_PERMISSION, VMPL1 may ask about less privileged VMPLs only, and not about VMPL0.',
  );
  assert.match(
    told([PRIVATE, 'g.rmpquery(64K)']),
    /^RMPQUERY about VMPL1 of GPA 0x10000: #VC\(0x404\), the page is not/,
  );
});

test('a guest instruction that faults by the nested page table tells of the page, as an access does', () => {
  assert.match(
    told(['g.rmpadjust(4M, vmpl 1)']),
    /^KVM_EXIT_MEMORY_FAULT, #NPF\(U\|ENC\): nothing is mapped at gfn 0x400\.$/,
  );
});

test('PVALIDATE', () => {
  assert.match(told([...VALID, 'g.vmpl(1).pvalidate(64K)']), /#GP, only VMPL0 may execute it, and this is VMPL1\./);
  assert.match(
    told([...VALID, 'g.pvalidate(64K, 2M)']),
    /^PVALIDATE 2M .*FAIL_INPUT, the address is not 2M-aligned\.$/,
  );
});

test('RMPREAD', () => {
  assert.equal(
    told(['cpu.rmpread(pfn(0x100000))']),
    'RMPREAD of pfn 0x100000: FAIL_INPUT, the RMP does not cover the page.',
  );
});

test('VMRUN', () => {
  assert.equal(told(['g.vmrun()']), 'KVM_EXIT_FAIL_ENTRY, the VMCB names no VMSA page.');
  assert.equal(
    told(['vmm.launch_finish(g)', 'g.vmrun()', 'g.vmrun()']),
    'KVM_EXIT_FAIL_ENTRY, the VMSA page, pfn 0xffffe, is in use by another vCPU since line 13 (g.vmrun).',
  );
  assert.equal(
    told(['vmm.launch_finish(g)', 'cpu.rmpupdate(0x1200, gpa 0, asid 2, assigned)', 'g.vmrun(vmcb 0x1200)']),
    "#GP, the VMCB, pfn 0x1200, is assigned, and it has to be the hypervisor's since line 13 (cpu.rmpupdate).",
  );
  assert.equal(
    told(['vmm.launch_finish(g)', 'g.vmrun(avic 0x1200)', 'g.vcpu(1).vmrun(avic 0x1200)']),
    'KVM_EXIT_FAIL_ENTRY, the AVIC backing page, pfn 0x1200, is in use by another vCPU since line 13 (g.vmrun).',
  );
  assert.match(
    told(['cpu.rmpupdate(0x1200, gpa 0, asid 2, assigned)', 'cpu.vmsave(0x1200)']),
    /^#GP, the target of VMSAVE/,
  );
  const [LOW, HIGH] = ['0x20080000c0000001', '0xf'];
  const vmsa = (low: string): string =>
    told(['vmm.launch_finish(g)', `fw.write_rmp_entry(0xffffe, ${low}, ${HIGH})`, 'g.vmrun()']);
  assert.match(vmsa('0'), /the VMSA page, pfn 0xffffe, is the hypervisor's since line 13/);
  assert.match(vmsa(LOW.replace('2008', '2010')), /belongs to ASID 2 and not to 1 since/);
  assert.match(vmsa(LOW.replace(/1$/, '5')), /is immutable since/);
  assert.match(vmsa(LOW.replace('2008', '0008')), /is no VMSA \(RMPADJUST or SNP_LAUNCH_UPDATE makes it one\) since/);
});

test('firmware commands', () => {
  const firmware = ['cpu.rmpupdate(0x1000, assigned, immutable)', 'cpu.rmpupdate(0x1001, assigned, immutable)'];
  const guest = ['cpu.rmpupdate(0x1003, gpa 0, asid 1, assigned, immutable)'];
  const down = ['fw.snp_decommission(g)', 'fw.snp_df_flush()', 'fw.snp_shutdown()'];
  const expected: readonly (readonly [steps: readonly string[], what: string])[] = [
    [
      ['fw.snp_init()'],
      'SNP_INIT: INVALID_PLATFORM_STATE, the platform is initialized already (SNP_SHUTDOWN comes first).',
    ],
    [[...down, 'fw.snp_init(rmp pfn(1) +256)'], 'SNP_INIT: INVALID_CONFIG, the RMP does not begin and end on 1M.'],
    [[...down, 'fw.snp_init(rmp pfn(0x100000) +256)'], 'SNP_INIT: INVALID_CONFIG, the RMP does not cover itself.'],
    [
      [...down, 'fw.snp_init(rmp pfn(0x100) +256, fixed pfn(0x180) +1)'],
      'SNP_INIT: INVALID_CONFIG, the RMP overlaps memory that is fixed or the IOMMUs use.',
    ],
    [['fw.snp_shutdown()'], 'SNP_SHUTDOWN: DFFLUSH_REQUIRED, a guest is active (SNP_DECOMMISSION).'],
    [
      ['fw.snp_decommission(g)', 'fw.snp_shutdown()'],
      'SNP_SHUTDOWN: DFFLUSH_REQUIRED, an ASID is not flushed (SNP_DF_FLUSH).',
    ],
    [
      [...down, 'fw.snp_df_flush()'],
      'SNP_DF_FLUSH: INVALID_PLATFORM_STATE, the platform is shut down (SNP_INIT initializes it).',
    ],
    [
      ['fw.snp_gctx_create(g, 0x1000)'],
      'SNP_GCTX_CREATE of pfn 0x1000: INVALID_PAGE_STATE, pfn 0x1000 is HYPERVISOR and not FIRMWARE.',
    ],
    [
      ['fw.snp_decommission(g)', 'fw.snp_launch_start(g)'],
      'SNP_LAUNCH_START: INVALID_GUEST, the guest has no context (SNP_GCTX_CREATE makes one).',
    ],
    [['fw.snp_launch_start(g)'], 'SNP_LAUNCH_START: INVALID_GUEST_STATE, the guest is in state LAUNCH and not INIT.'],
    [['fw.snp_activate(g)'], 'SNP_ACTIVATE: ASID_OWNED, the guest itself has ASID 1 already.'],
    [['fw.snp_activate(g, asid 7)'], 'SNP_ACTIVATE: ACTIVE, the guest has ASID 1 already.'],
    [['fw.snp_activate(g, asid 1023)'], 'SNP_ACTIVATE: INVALID_ASID, ASIDs are 1 to 1022.'],
    [
      ['fw.snp_launch_finish(g)', 'fw.snp_launch_finish(g)'],
      'SNP_LAUNCH_FINISH: INVALID_GUEST_STATE, the guest is in state RUNNING and not LAUNCH.',
    ],
    [
      [...firmware, 'fw.snp_guest_request(g, 0x1000, 0x1001)'],
      'SNP_GUEST_REQUEST of pfn 0x1001: INVALID_GUEST_STATE, the guest is in state LAUNCH and not RUNNING.',
    ],
    [
      ['fw.snp_launch_update(g, 0x1000)'],
      'SNP_LAUNCH_UPDATE of pfn 0x1000: INVALID_PAGE_STATE, pfn 0x1000 is HYPERVISOR and not PRE_GUEST.',
    ],
    [
      [...guest, 'fw.snp_launch_update(g, 0x1003, 2M)'],
      'SNP_LAUNCH_UPDATE of pfn 0x1003: INVALID_PAGE_SIZE, pfn 0x1003 is 4K in the RMP, and the command is about 2M since line 12 (cpu.rmpupdate).',
    ],
    [
      [...guest, 'fw.snp_launch_update(g, 0x1003, CPUID, rejected)'],
      'SNP_LAUNCH_UPDATE of pfn 0x1003: INVALID_PARAM, the firmware rejects the CPUID values; the corrected page is handed back unencrypted since line 12 (cpu.rmpupdate).',
    ],
    [
      ['cpu.rmpupdate(0x1003, gpa 0, asid 2, assigned, immutable)', 'fw.snp_launch_update(g, 0x1003)'],
      'SNP_LAUNCH_UPDATE of pfn 0x1003: INVALID_PAGE_OWNER, pfn 0x1003 is not a page of the guest with ASID 1 since line 12 (cpu.rmpupdate).',
    ],
    [
      ['fw.write_rmp_entry(0x1000, 4, 0)', 'fw.snp_page_reclaim(0x1000)'],
      'SNP_PAGE_RECLAIM of pfn 0x1000: INVALID_PAGE_STATE, pfn 0x1000 is HV_FIXED and not METADATA, FIRMWARE, PRE_GUEST or PRE_SWAP since line 12 (fw.write_rmp_entry).',
    ],
    [
      ['fw.snp_page_reclaim(0x100000)'],
      'SNP_PAGE_RECLAIM of pfn 0x100000: INVALID_ADDRESS, pfn 0x100000 is not covered by the RMP.',
    ],
    [
      [...firmware, 'fw.snp_page_set_state(pfn(0x1000) +3)'],
      'SNP_PAGE_SET_STATE of pfn 0x1000: INVALID_PAGE_STATE, pfn 0x1002 is HYPERVISOR and not FIRMWARE.',
    ],
    [
      ['fw.snp_page_set_state(pfn(0x1001) +3)'],
      'SNP_PAGE_SET_STATE of pfn 0x1001: INVALID_PARAM, pfn 0x1001 is not 2M-aligned.',
    ],
    [
      ['cpu.rmpupdate(0x80000, gpa 0, asid 1, 2M, assigned)', 'cpu.psmash(0x80000)', 'fw.snp_page_unsmash(0x80000)'],
      'SNP_PAGE_UNSMASH of pfn 0x80000: INVALID_PAGE_STATE, pfn 0x80000 is not immutable since line 13 (cpu.psmash).',
    ],
    [
      ['cpu.rmpupdate(0x80000, gpa 4K, asid 1, assigned)', 'fw.snp_page_unsmash(0x80000)'],
      'SNP_PAGE_UNSMASH of pfn 0x80000: INVALID_PAGE_STATE, its GPA 0x1000 is not 2M-aligned since line 12 (cpu.rmpupdate).',
    ],
    [
      [...guest, 'fw.snp_page_move(g, 0x1003, 0x1004)'],
      'SNP_PAGE_MOVE of pfn 0x1003: INVALID_PAGE_STATE, pfn 0x1004 is HYPERVISOR and not PRE_GUEST.',
    ],
    [
      ['fw.snp_page_md_init(g, 0x1000)'],
      'SNP_PAGE_MD_INIT of pfn 0x1000: INVALID_PAGE_STATE, pfn 0x1000 is HYPERVISOR and not FIRMWARE.',
    ],
    [
      [...guest, 'fw.snp_page_swap_out(g, 0x1003, 0x1004)'],
      'SNP_PAGE_SWAP_OUT of pfn 0x1003: INVALID_PAGE_STATE, pfn 0x1004 is HYPERVISOR and not FIRMWARE.',
    ],
    [
      [...firmware, ...guest, 'fw.snp_page_swap_out(g, 0x1003, 0x1000, metadata 0x1001)'],
      'SNP_PAGE_SWAP_OUT of pfn 0x1003: INVALID_PAGE_STATE, pfn 0x1001 is FIRMWARE and not METADATA since line 13 (cpu.rmpupdate).',
    ],
    [
      [...guest, 'fw.snp_page_swap_in(g, 0x1000, 0x1003)'],
      'SNP_PAGE_SWAP_IN of pfn 0x1003: INVALID_MDATA_ENTRY, the metadata entry holds nothing that was swapped out.',
    ],
    [
      [
        ...firmware,
        ...guest,
        'fw.snp_page_swap_out(g, 0x1003, 0x1000)',
        'fw.snp_page_swap_in(g, 0x1000, 0x1003, VMSA)',
      ],
      'SNP_PAGE_SWAP_IN of pfn 0x1003: INVALID_MDATA_ENTRY, the metadata entry describes a DATA page and no VMSA page.',
    ],
  ];
  for (const [steps, what] of expected) assert.equal(told(steps), what);
});

test('a command that the kernel gives is behind the error that the kernel returns', () => {
  assert.equal(
    told(['vmm.launch_finish(g)', 'vmm.launch_update(g, 1M +4K)']),
    '-EIO. SNP_LAUNCH_UPDATE of pfn 0x40100: INVALID_GUEST_STATE, the guest is in state RUNNING and not LAUNCH.',
  );
});

test('a step that succeeds where the scenario expects a failure has nothing to explain', () => {
  // The first attempt takes #NPF, which the kernel resolves.
  const steps = ['vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.pvalidate(0, 2M) => FAIL_INPUT'];
  assert.equal(told(steps), 'Expected FAIL_INPUT, got ok.');
  assert.equal(told(['cpu.rmpread(0x1000) => FAIL_INPUT']), 'Expected FAIL_INPUT, got ok.');
});

test('a result that the kernel hands up', () => {
  assert.match(
    told(['vmm.launch_update(g, 0..4K)', 'vmm.launch_update(g, 0..4K)']),
    /^-EFAULT\. The kernel logged ".*Failed to ensure GFN 0x0 is in initial shared state.*"\.$/,
  );
  const uncovered = checkText(
    'host {\nmemory 8G\nrmp 4G\n}\nguest g {\nslot 0 gpa 0..1G pfn 0x40000\n}\nscenario "s" {\nvmm.launch_finish(g)\n}\n',
  );
  assert.match(
    lines(uncovered).find((line) => line.includes(' OUTCOME ')) ?? '',
    /-EFAULT\. RMPUPDATE 4K at pfn 0x[0-9a-f]+: FAIL_INPUT, the RMP does not cover the page/,
  );
});

test('a page that the firmware has locked', () => {
  const text =
    'host {\nmemory 4G\nrmp 1M..17M\n}\nguest g {\nslot 0 gpa 0..1G\n}\nscenario "s" {\ncpu.rmpupdate(0x101)\n}\n';
  const [first] = lines(checkText(text)).filter((line) => line.includes(' OUTCOME '));
  assert.match(first, /only firmware can release it/);
  assert.doesNotMatch(first, /vCPU has exited/);
});

test('a number that is not the one expected is told', () => {
  const text =
    'guest g {\nslot 0 gpa 0..1G pfn 0x40000\n}\nscenario "s" {\ncpu.rmpupdate(0x40000, asid 1, 2M, assigned)\ncpu.rmpread(0x40000) => 0x100000101\n}\n';
  const [first] = lines(checkText(text)).filter((line) => line.includes(' OUTCOME '));
  assert.match(first, /Expected 0x100000101, got 0x100000301/);
});

test('an exit that is suggested can be written', () => {
  const scenario = (outcome: string): string =>
    `guest g {\nslot 0 gpa 0..1G pfn 0x40000\n}\nscenario "s" {\nvmm.launch_finish(g)\ng.read(16G, shared)${outcome}\n}\n`;
  const [first] = lines(checkText(scenario(''))).filter((line) => line.includes(' OUTCOME '));
  assert.match(first, /`=> KVM_EXIT_MMIO`/);
  assert.deepEqual(lines(checkText(scenario(' => KVM_EXIT_MMIO'))), []);
  assert.match(lines(checkText(scenario(' => KVM_EXIT_42')))[0], /Expected KVM_EXIT_42, got KVM_EXIT_MMIO/);
});
