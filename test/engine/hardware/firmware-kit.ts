// What the firmware tests share: pages in a given state, a guest launched by commands, statuses by name.
import type { Pfn } from '../../../engine/base/units.ts';
import { fwStatusName } from '../../../engine/hardware/firmware.ts';
import { snpActivate, snpGctxCreate, snpLaunchStart } from '../../../engine/hardware/firmware-guest.ts';
import { HEAD, host, type Kit } from './machine-kit.ts';

/** Where the firmware's own pages lie in these tests: another region than the guest's. */
export const FW = HEAD + 1024;
/** An ASID that no guest of the kit has. */
export const ASID = 7;

export const state = (kit: Kit, page: number): string => kit.hw.rmp.pageState(page as Pfn);
export const status = (code: number): string => fwStatusName(code);

/** RMPUPDATE of a page to the firmware. */
export const toFirmware = (kit: Kit, page: number, size: 0 | 1 = 0): number =>
  kit.assign(page, 0, { asid: 0, immutable: 1, size });

/** Context page of a guest that has been launched by commands and is active with {@link ASID}. */
export const GCTX = FW;

export function launched(kit: Kit = host()): Kit {
  toFirmware(kit, GCTX);
  for (const code of [
    snpGctxCreate(kit.hw, GCTX, ASID),
    snpLaunchStart(kit.hw, GCTX),
    snpActivate(kit.hw, GCTX, ASID),
  ]) {
    if (code !== 0) throw new Error(status(code));
  }
  return kit;
}

/** A page of the launched guest in state PRE_GUEST, or PRE_SWAP. */
export function guestPage(kit: Kit, page: number, gpa: number, validated = false, size: 0 | 1 = 0): void {
  kit.assign(page, gpa, { asid: ASID, immutable: 1, size });
  const { rmp } = kit.hw;
  if (validated) kit.hw.writeRaw(page as Pfn, rmp.word(page, 0), rmp.word(page, 1) | (1 << 30), 0x030f, 0);
}

/** Everything of the RMP and the firmware that undo has to bring back. */
export function fingerprint(kit: Kit, pages: readonly number[]): string {
  const { rmp, firmware } = kit.hw;
  const entries = pages.map((page) => [0, 1, 2, 3].map((n) => rmp.word(page, n)).join());
  const contexts = [1, 2, ASID].map((asid) => JSON.stringify(firmware.context(firmware.contextPage(asid))));
  return [...entries, ...contexts, rmp.asidPages.join(), firmware.initialized, firmware.anyUnflushed].join(' ');
}
