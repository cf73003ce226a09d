/**
 * The instructions and firmware commands that kernel C issues, and what it reads of the RMP table in memory. Thin: the semantics are in
 * engine/hardware.
 */
import { PG_LEVEL_4K, type PgLevel, pagesPerLevel } from '../base/units.ts';
import { Access } from '../hardware/access.ts';
import { snpLaunchFinish } from '../hardware/firmware-guest.ts';
import { RmpCode } from '../hardware/instruction-checks.ts';
import { EventKind } from '../trace/trace.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Native, NativeCall } from '../vm/native.ts';
import type { KernelState } from './kernel-state.ts';

export function instructionNatives(kernel: KernelState): Native[] {
  const { hardware } = kernel;
  /** An address or number that no machine has does not name a page: all ones would. */
  const page = (call: NativeCall, index: number): number =>
    call.isWide(index) ? Number.MAX_SAFE_INTEGER : call.num(index);
  /** An entry that is not there leaves a trace: what the kernel makes of it is for the LOOKUP rule to see. */
  const unreadable = (pfn: number): number => {
    hardware.trace.record(EventKind.Rmpread, 0, pfn, RmpCode.FailInput, 0, 0, -1);
    return 0;
  };
  return [
    {
      // RMPUPDATE: EAX. `assigned`, `pagesize` (1 = 2M) and `immutable` are the operand's bytes.
      prototype:
        'int __rmpupdate(unsigned long long spa, unsigned long long gpa, int assigned, int pagesize, int immutable, unsigned int asid)',
      call: (call) =>
        hardware.rmpupdate(page(call, 0), page(call, 1), call.num(2), call.num(3), call.num(4), call.num(5)),
    },
    {
      // PSMASH: EAX.
      prototype: 'int __psmash(unsigned long long spa)',
      call: (call) => hardware.psmash(page(call, 0)),
    },
    {
      // The entry's low half as two 32-bit words. 1, or 0 when the table does not reach that far.
      prototype: 'int __rmp_read(unsigned long long pfn, unsigned int *lo, unsigned int *hi)',
      call(call) {
        const pfn = page(call, 0);
        if (!hardware.rmp.covers(pfn)) return unreadable(pfn);
        call.store(call.num(1), 0, hardware.rmp.word(pfn, 0) >>> 0);
        call.store(call.num(2), 0, hardware.rmp.word(pfn, 1) >>> 0);
        return 1;
      },
    },
    {
      // The entry as two 64-bit words. 1, or 0 when the table does not reach that far.
      prototype: 'int __rmp_read_raw(unsigned long long pfn, unsigned long long *low, unsigned long long *high)',
      call(call) {
        const pfn = page(call, 0);
        if (!hardware.rmp.covers(pfn)) return unreadable(pfn);
        call.storeBig(call.num(1), 0, hardware.rmp.rawLow(pfn as never));
        call.storeBig(call.num(2), 0, hardware.rmp.rawHigh(pfn as never));
        return 1;
      },
    },
    { prototype: 'int __host_snp_enabled(void)', call: () => (kernel.config.snp ? 1 : 0) },
    { prototype: 'int num_present_cpus(void)', call: () => kernel.config.cpus },
    {
      prototype: 'int pfn_valid(unsigned long long pfn)',
      call: (call) => (page(call, 0) < hardware.memoryPages ? 1 : 0),
    },
    {
      // The kernel writes one page through the direct map. 0, or stops with the oops that the write would be.
      prototype: 'int __host_write_page(unsigned long long pfn)',
      call(call) {
        const pfn = page(call, 0);
        if (!kernel.directMap.present(pfn)) {
          return call.trap(
            TrapCode.Bug,
            `the kernel writes to pfn 0x${pfn.toString(16)}, which its direct map does not map`,
          );
        }
        const fault = hardware.hostAccess(pfn, Access.Write, kernel.directMap.level(pfn));
        if (fault !== 0) {
          return call.trap(
            TrapCode.Bug,
            `the kernel writes to pfn 0x${pfn.toString(16)}: #PF, error code 0x${hardware.faultCode.toString(16)} (RMP violation)`,
          );
        }
        return 0;
      },
    },
    {
      // SNP_LAUNCH_UPDATE of one page; `perms` holds the masks of VMPL1 to VMPL3 in bits 7:0, 15:8, 23:16. The firmware's status.
      prototype:
        'int __snp_launch_update(unsigned int asid, unsigned long long pfn, int page_type, int page_size, unsigned int perms)',
      call(call) {
        const perms = call.num(4);
        return hardware.snpLaunchUpdate(
          call.num(0),
          page(call, 1),
          call.num(2),
          call.num(3) === 0 ? 0 : 1,
          [perms & 0xff, (perms >>> 8) & 0xff, (perms >>> 16) & 0xff],
          kernel.options.value.get('cpuid-page-valid') !== 0,
        );
      },
    },
    {
      // SNP_LAUNCH_FINISH of the guest that has the ASID. The firmware's status.
      prototype: 'int __snp_launch_finish(unsigned int asid)',
      call: (call) => snpLaunchFinish(hardware, hardware.firmware.contextPage(call.num(0))),
    },
    {
      // SNP_PAGE_RECLAIM. The firmware's status.
      prototype: 'int __snp_page_reclaim(unsigned long long pfn, int page_size)',
      call: (call) => {
        const failure = kernel.options.value.get('page-reclaim-status') ?? 0;
        return failure !== 0 ? failure : hardware.snpPageReclaim(page(call, 0), call.num(1) === 0 ? 0 : 1);
      },
    },
    {
      // A guest's context in the processor: its nested page table and whether it runs with SNP. Once per VM. To the firmware, an SNP guest is
      // launching and active from then on.
      prototype: 'void __guest_register(unsigned int asid, int snp)',
      call(call) {
        if (!hardware.guests.has(call.num(0))) hardware.addGuest(call.num(0), call.num(1) !== 0);
        return 0;
      },
    },
  ];
}

export function nestedPageTableNatives(kernel: KernelState): Native[] {
  const { hardware } = kernel;
  const npt = (call: NativeCall) => {
    const guest = hardware.guests.get(call.num(0));
    if (guest === undefined) call.trap(TrapCode.BadArgument, `no guest has ASID ${call.num(0)}`);
    return guest!.npt;
  };
  return [
    {
      // Map gfn (rounded down to the level) to pfn at PG_LEVEL_*; smaller and larger entries over it go.
      prototype:
        'void __npt_map(unsigned int asid, unsigned long long gfn, unsigned long long pfn, int level, int writable)',
      call(call) {
        npt(call).map(call.num(1), call.num(2), call.num(3) as PgLevel, call.num(4) !== 0);
        return 0;
      },
    },
    {
      // Whether that very entry is there already.
      prototype: 'int __npt_maps(unsigned int asid, unsigned long long gfn, unsigned long long pfn, int level)',
      call(call) {
        const entry = npt(call).lookup(call.num(1));
        return entry !== undefined && entry.pfn === call.num(2) && entry.level === call.num(3) ? 1 : 0;
      },
    },
    {
      // Pages that were mapped by the entries removed from start .. end.
      prototype: 'unsigned long long __npt_zap(unsigned int asid, unsigned long long start, unsigned long long end)',
      call: (call) => npt(call).zap(call.num(1), call.num(2)),
    },
    {
      // Whether the gfn is mapped, for writing too.
      prototype: 'int __npt_writable(unsigned int asid, unsigned long long gfn)',
      call: (call) => (npt(call).lookup(call.num(1))?.writable === true ? 1 : 0),
    },
    {
      // PG_LEVEL_* at which the gfn is mapped; PG_LEVEL_NONE (0) if it is not.
      prototype: 'int __npt_level(unsigned int asid, unsigned long long gfn)',
      call: (call) => npt(call).lookup(call.num(1))?.level ?? PG_LEVEL_4K - 1,
    },
    {
      // Replace the entry that maps the gfn by 512 of the next smaller level, down to PG_LEVEL_* `level`; the same pages stay mapped.
      prototype: 'void __npt_split(unsigned int asid, unsigned long long gfn, int level)',
      call(call) {
        const table = npt(call);
        const gfn = call.num(1);
        for (
          let entry = table.lookup(gfn);
          entry !== undefined && entry.level > call.num(2);
          entry = table.lookup(gfn)
        ) {
          const below = (entry.level - 1) as PgLevel;
          const pages = pagesPerLevel(below);
          const first = gfn - (gfn % (pages * 512));
          for (let i = 0; i < 512; i++) table.map(first + i * pages, entry.pfn + i * pages, below, entry.writable);
        }
        return 0;
      },
    },
    {
      // Flush what TLBs hold of a guest.
      prototype: 'void __tlb_flush(unsigned int asid)',
      call(call) {
        kernel.flushTlb(call.num(0));
        return 0;
      },
    },
  ];
}
