/**
 * Directed: each cell of the access checks, of PVALIDATE, of VMRUN's check of the VMSA page and of the firmware's page states is set up in a fresh
 * host and tried once. What comes of it is judged by the watch (probe.ts) against cells.ts.
 */
import { Access } from '../../engine/hardware/access.ts';
import type { Hardware } from '../../engine/hardware/machine.ts';
import { HEAD, host, type Kit } from '../engine/hardware/machine-kit.ts';
import { PRIVATE_STATES, SHARED_STATES } from './cells.ts';

const KINDS = Object.values(Access);
const LEVELS = [1, 2, 3] as const;
/** Whole gigabytes, so that a mapping of any size is aligned. */
const GPA = 0x4000_0000;
const GFN = GPA / 4096;
/** Outside the RMP of {@link small}. */
const BEYOND = 0x80000;

/** A host whose RMP ends at 2G. */
const small = (): Kit => host({}, { coveredBytes: 2 * 2 ** 30 });

/** Make the page at HEAD what a private access shall find. Returns the page. */
function preparePrivate(kit: Kit, state: string): number {
  const { hw } = kit;
  if (state === 'not covered') return BEYOND;
  if (state === 'not assigned') return HEAD;
  const size = state.startsWith('2M') ? 1 : 0;
  kit.assign(HEAD, state === 'another GPA' ? GPA + 0x1000 : GPA, {
    size,
    asid: state === 'another ASID' ? 2 : 1,
    immutable: state === 'immutable' ? 1 : 0,
  });
  if (state.endsWith(', validated')) {
    const guest = hw.guests.get(1)!;
    guest.npt.map(GFN, HEAD, size === 1 ? 2 : 1, true);
    hw.pvalidate(guest, GPA, size, 1);
  }
  return HEAD;
}

/** Make the region what an access that wants a hypervisor-owned page shall find. Returns the page: in the middle of the region. */
function prepareShared(kit: Kit, state: string): number {
  const { hw } = kit;
  const page = HEAD + 8;
  if (state === 'not covered') return BEYOND + 8;
  if (state === 'another page assigned') kit.assign(HEAD + 300, GPA);
  if (state === 'assigned') kit.assign(page, GPA);
  if (state === 'in use') hw.setInUse(page as never, true);
  if (state === 'first page in use') hw.setInUse(HEAD as never, true);
  return page;
}

function guestOf(hw: Hardware, snp: boolean) {
  if (snp) return hw.guests.get(1)!;
  return hw.addGuest(3, false);
}

export const directed: Readonly<Record<string, () => void>> = {
  'private accesses'() {
    for (const state of PRIVATE_STATES)
      for (const level of LEVELS)
        for (const access of KINDS) {
          const kit = small();
          const page = preparePrivate(kit, state);
          const guest = guestOf(kit.hw, true);
          guest.npt.map(GFN, page, level, true);
          kit.hw.guestAccess(guest, GPA, access, 1);
        }
  },
  'VMPL permissions'() {
    for (const level of [1, 2] as const)
      for (const vmpl of [0, 1, 2, 3])
        for (const mask of [0, 0x1, 0x3, 0x5, 0x9, 0xf])
          for (const access of KINDS)
            for (const user of [false, true]) {
              const kit = small();
              const page = preparePrivate(kit, level === 1 ? '4K, validated' : '2M, validated');
              const { rmp } = kit.hw;
              const masks = (rmp.word(page, 2) & ~(0xff << (8 * vmpl))) | (mask << (8 * vmpl));
              kit.hw.writeRaw(page as never, rmp.word(page, 0), rmp.word(page, 1), masks >>> 0, rmp.word(page, 3));
              const guest = guestOf(kit.hw, true);
              guest.npt.map(GFN, page, level, true);
              kit.hw.guestAccess(guest, GPA, access, 1, vmpl, user);
            }
  },
  'accesses that want a hypervisor-owned page'() {
    for (const state of SHARED_STATES)
      for (const level of LEVELS)
        for (const access of KINDS)
          for (const who of ['snp', 'other', 'host', 'user']) {
            const kit = small();
            const page = prepareShared(kit, state);
            if (who === 'host' || who === 'user') kit.hw.hostAccess(page, access, level, who === 'user');
            else {
              const guest = guestOf(kit.hw, who === 'snp');
              guest.npt.map(level === 1 ? GFN + 8 : GFN, level === 1 ? page : page - 8, level, true);
              kit.hw.guestAccess(guest, GPA + 0x8000, access, 0);
            }
          }
  },
  PVALIDATE() {
    for (const state of PRIVATE_STATES)
      for (const level of LEVELS)
        for (const size of [0, 1])
          for (const validate of [0, 1]) {
            const kit = small();
            const page = preparePrivate(kit, state);
            const guest = guestOf(kit.hw, true);
            guest.npt.map(GFN, page, level, true);
            kit.hw.pvalidate(guest, GPA, size, validate);
          }
    const kit = small();
    const page = preparePrivate(kit, '4K, validated');
    const guest = guestOf(kit.hw, true);
    kit.hw.pvalidate(guest, GPA + 1, 0, 1);
    kit.hw.pvalidate(guest, GPA + 0x1000, 1, 1);
    kit.hw.pvalidate(guest, GPA, 2, 1);
    kit.hw.pvalidate(guest, GPA, 0, 2);
    kit.hw.pvalidate(guest, GPA, 0, 1, 1);
    kit.hw.pvalidate(guest, 2 * GPA, 0, 1);
    kit.hw.pvalidate(guestOf(kit.hw, false), GPA, 0, 1);
    kit.hw.setInUse(page as never, true);
    kit.hw.pvalidate(guest, GPA, 0, 0);
    guest.npt.map(GFN, page + 1, 2, true);
    kit.hw.pvalidate(guest, GPA, 0, 1);
  },
  RMPADJUST() {
    for (const state of PRIVATE_STATES)
      for (const level of LEVELS)
        for (const size of [0, 1]) {
          const kit = small();
          const page = preparePrivate(kit, state);
          const guest = guestOf(kit.hw, true);
          guest.npt.map(GFN, page, level, true);
          kit.hw.rmpadjust(guest, GPA, size, 0x101);
        }
    const kit = small();
    const page = preparePrivate(kit, '4K, validated');
    const guest = guestOf(kit.hw, true);
    kit.hw.rmpadjust(guest, GPA + 1, 0, 1);
    kit.hw.rmpadjust(guest, GPA + 0x1000, 1, 1);
    kit.hw.rmpadjust(guest, GPA, 2, 1);
    kit.hw.rmpadjust(guest, GPA, 0, 4);
    kit.hw.rmpadjust(guest, GPA, 0, 1, 1);
    kit.hw.rmpadjust(guest, 2 * GPA, 0, 1);
    kit.hw.rmpadjust(guestOf(kit.hw, false), GPA, 0, 1);
    // VMPL1 may read; VMPL1 gives that to VMPL2, and not more.
    kit.hw.rmpadjust(guest, GPA, 0, 0x10101);
    kit.hw.rmpadjust(guest, GPA, 0, 0x10102, 1);
    kit.hw.rmpadjust(guest, GPA, 0, 0x302, 1);
    kit.hw.setInUse(page as never, true);
    kit.hw.rmpadjust(guest, GPA, 0, 0x101);
    guest.npt.map(GFN, page + 1, 2, true);
    kit.hw.rmpadjust(guest, GPA, 0, 0x101);
  },
  'VMPL permissions with supervisor shadow stacks'() {
    for (const mask of [0x1f, 0x0f, 0x10, 0x11, 0x13, 0])
      for (const access of KINDS)
        for (const user of [false, true]) {
          const kit = host({ vmplSss: true });
          const { hw } = kit;
          const page = preparePrivate(kit, '4K, validated');
          hw.writeRaw(page as never, hw.rmp.word(page, 0), hw.rmp.word(page, 1), mask, 0);
          const guest = guestOf(hw, true);
          guest.npt.map(GFN, page, 1, true);
          hw.guestAccess(guest, GPA, access, 1, 0, user);
        }
  },
  'pages in use, by features of processors'() {
    for (const options of [{ inUse2mErratum: false }, { hvInUseWrAllowed: true }])
      for (const state of SHARED_STATES.slice(1))
        for (const level of LEVELS) {
          const kit = host(options);
          const page = prepareShared(kit, state);
          kit.hw.hostAccess(page, Access.Write, level);
          const guest = guestOf(kit.hw, true);
          guest.npt.map(level === 1 ? GFN + 8 : GFN, level === 1 ? page : page - 8, level, true);
          kit.hw.guestAccess(guest, GPA + 0x8000, Access.Write, 0);
        }
  },
  RMPQUERY() {
    for (const state of PRIVATE_STATES)
      for (const level of LEVELS) {
        const kit = small();
        const page = preparePrivate(kit, state);
        const guest = guestOf(kit.hw, true);
        guest.npt.map(GFN, page, level, true);
        kit.hw.rmpquery(guest, GPA, 1);
      }
    const kit = small();
    const page = preparePrivate(kit, '4K, validated');
    const guest = guestOf(kit.hw, true);
    kit.hw.rmpquery(guestOf(kit.hw, false), GPA, 1);
    kit.hw.rmpquery(guest, GPA, 4);
    kit.hw.rmpquery(guest, GPA, 0, 1);
    kit.hw.rmpquery(guest, GPA, 1, 1);
    kit.hw.rmpquery(guest, 2 * GPA, 1);
    guest.npt.map(GFN, page + 1, 2, true);
    kit.hw.rmpquery(guest, GPA, 1);
  },
  RMPREAD() {
    const kit = small();
    const { hw } = kit;
    const read = (pfn: number): number => hw.rmpread(pfn * 4096);
    hw.rmpread(HEAD * 4096, 1);
    read(BEYOND);
    read(HEAD);
    kit.assign(HEAD + 8, GPA);
    read(HEAD);
    read(HEAD + 8);
    kit.assign(HEAD, GPA);
    read(HEAD);
    kit.assign(HEAD + 9, GPA, { immutable: 1 });
    read(HEAD + 9);
    hw.writeRaw((HEAD + 10) as never, 4, 0, 0, 0);
    read(HEAD + 10);
    kit.assign(HEAD + 512, GPA, { size: 1 });
    read(HEAD + 512);
    read(HEAD + 513);
  },
  'VMRUN and VMSAVE: pages of the hypervisor'() {
    const vmsa = HEAD + 1024;
    for (const state of ['not assigned', 'not covered', 'assigned', 'under a 2M entry', 'in use'])
      for (const what of ['vmcb', 'hsave', 'avic', 'vmsa', 'vmsave'] as const) {
        const kit = small();
        const { hw } = kit;
        const page = state === 'not covered' ? BEYOND : HEAD + 8;
        if (state === 'assigned') kit.assign(page, GPA);
        if (state === 'under a 2M entry') kit.assign(HEAD, GPA, { size: 1 });
        if (state === 'in use') hw.setInUse(page as never, true);
        hw.writeRaw(vmsa as never, 1, (1 << 19) | VMSA, 0xf, 0);
        if (what === 'vmsave') hw.vmsave(page);
        else if (what === 'vmsa') hw.enter(guestOf(hw, false), { vmsa: page });
        else hw.enter(guestOf(hw, true), { [what]: page, vmsa });
      }
  },
  'VMRUN of an SNP guest'() {
    const words: readonly (readonly [number, number])[] = [
      // Assigned, Page_Size, Immutable; ASID, VMSA.
      [0, 0],
      [1, (1 << 19) | VMSA],
      [1, (2 << 19) | VMSA],
      [5, (1 << 19) | VMSA],
      [1, 1 << 19],
      [3, (1 << 19) | VMSA],
      [1, ((1 << 19) | VMSA | LOCK) >>> 0],
    ];
    for (const [w0, w1] of words) {
      const kit = small();
      kit.hw.writeRaw(HEAD as never, w0, w1, 0xf, 0);
      kit.hw.vmrun(1, HEAD);
    }
    const kit = small();
    kit.hw.writeRaw(HEAD as never, 1, (1 << 19) | VMSA, 0xf, 0);
    kit.hw.enter(guestOf(kit.hw, true), { vmsa: HEAD, vmsaGfn: GFN });
    small().hw.vmrun(1, BEYOND);
    small().hw.vmrun(1, -1);
  },
};

const VMSA = 1 << 29;
const LOCK = 1 << 31;
