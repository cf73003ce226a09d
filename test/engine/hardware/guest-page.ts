// One page of guest 1 at GPA 0x200000, in RMP and NPT, each of the size that a test is about.
import type { GuestContext } from '../../../engine/hardware/machine.ts';
import type { HardwareOptions } from '../../../engine/hardware/options.ts';
import { HEAD, host, type Kit } from './machine-kit.ts';

export const GPA = 0x200000;

export interface GuestPage extends Kit {
  guest: GuestContext;
}

/** The page, validated. `rmp` and `npt` are the sizes; null leaves it out. */
export function guestPage(
  rmp: 0 | 1 | null = 0,
  npt: 1 | 2 | null = 1,
  options: Partial<HardwareOptions> = {},
): GuestPage {
  const kit = host(options);
  const guest = kit.hw.guests.get(1) as GuestContext;
  if (rmp !== null) {
    kit.assign(HEAD, GPA, { size: rmp });
    guest.npt.map(GPA / 4096, HEAD, rmp === 1 ? 2 : 1, true);
    kit.hw.pvalidate(guest, GPA, rmp, 1);
    guest.npt.zap(GPA / 4096, GPA / 4096 + 512);
  }
  if (npt !== null) guest.npt.map(GPA / 4096, HEAD, npt, true);
  return { ...kit, guest };
}
