/** Rows of firmware-transitions.ts about the platform, the guest and the operands that commands want, and what they answer otherwise. */
import { PageType } from '../../engine/hardware/firmware.ts';
import {
  snpActivate,
  snpDecommission,
  snpGctxCreate,
  snpGuestRequest,
  snpLaunchFinish,
  snpLaunchStart,
} from '../../engine/hardware/firmware-guest.ts';
import { snpPageMove } from '../../engine/hardware/firmware-move.ts';
import { snpPageSetState } from '../../engine/hardware/firmware-page-state.ts';
import { snpDfFlush, snpInit, snpShutdown } from '../../engine/hardware/firmware-platform.ts';
import { snpPageMdInit, snpPageSwapIn, snpPageSwapOut } from '../../engine/hardware/firmware-swap.ts';
import { snpPageUnsmash } from '../../engine/hardware/firmware-unsmash.ts';
import type { Hardware } from '../../engine/hardware/machine.ts';
import { HEAD } from '../engine/hardware/machine-kit.ts';
import {
  ASID_1,
  about,
  C,
  down,
  gctx,
  inLaunch,
  large,
  launchUpdate,
  MORE,
  newGuest,
  OTHER,
  on,
  put,
  reclaim,
  STATE,
  smashed,
  swap,
  swappedOut,
  type Transition,
  VMSA,
} from './firmware-setup.ts';

export const refusals: readonly Transition[] = [
  ...(
    [
      [C.SnpGctxCreate, (hw) => snpGctxCreate(hw, HEAD, 9)],
      [C.SnpLaunchStart, (hw) => snpLaunchStart(hw, gctx(hw))],
      [C.SnpActivate, (hw) => snpActivate(hw, gctx(hw), 9)],
      [C.SnpLaunchUpdate, launchUpdate(PageType.Normal)],
      [C.SnpLaunchFinish, (hw) => snpLaunchFinish(hw, gctx(hw))],
      [C.SnpGuestRequest, (hw) => snpGuestRequest(hw, gctx(hw), MORE, HEAD)],
      [C.SnpDecommission, (hw) => snpDecommission(hw, gctx(hw))],
      [C.SnpPageReclaim, reclaim],
      [C.SnpPageSetState, (hw) => snpPageSetState(hw, HEAD, 1)],
      [C.SnpPageUnsmash, (hw) => snpPageUnsmash(hw, HEAD)],
      [C.SnpPageMdInit, (hw) => snpPageMdInit(hw, gctx(hw), HEAD)],
      [C.SnpPageMove, (hw) => snpPageMove(hw, gctx(hw), HEAD, OTHER, 0)],
      [C.SnpPageSwapOut, (hw) => snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'DATA'))],
      [C.SnpPageSwapIn, (hw) => snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA'))],
    ] as const satisfies readonly (readonly [number, (hw: Hardware) => number])[]
  ).map(([command, act]) =>
    about(command, 'platform shut down', 'INVALID_PLATFORM_STATE', (hw) => {
      down(hw);
      return act(hw);
    }),
  ),
  ...(
    [
      [C.SnpActivate, (hw) => snpActivate(hw, HEAD, 9)],
      [C.SnpLaunchFinish, (hw) => snpLaunchFinish(hw, HEAD)],
      [C.SnpGuestRequest, (hw) => snpGuestRequest(hw, HEAD, MORE, OTHER)],
      [C.SnpPageMdInit, (hw) => snpPageMdInit(hw, HEAD, OTHER)],
      [C.SnpPageMove, (hw) => snpPageMove(hw, HEAD, MORE, OTHER, 0)],
      [C.SnpPageSwapOut, (hw) => snpPageSwapOut(hw, { ...swap(hw, MORE, OTHER, 'DATA'), gctx: HEAD })],
      [C.SnpPageSwapIn, (hw) => snpPageSwapIn(hw, { ...swap(hw, OTHER, MORE, 'DATA'), gctx: HEAD })],
    ] as const satisfies readonly (readonly [number, (hw: Hardware) => number])[]
  ).map(([command, act]) => about(command, 'no context', 'INVALID_GUEST', act)),
  about(C.SnpInit, 'RMP does not cover itself', 'INVALID_CONFIG', (hw) => {
    down(hw);
    return snpInit(hw, { rmp: { start: 2 ** 20, end: 2 ** 20 + 256 } });
  }),
  about(C.SnpInit, 'RMP overlaps what is fixed', 'INVALID_CONFIG', (hw) => {
    down(hw);
    return snpInit(hw, { rmp: { start: HEAD, end: HEAD + 256 }, fixed: { start: HEAD + 9, end: HEAD + 10 } });
  }),
  about(C.SnpShutdown, 'an ASID is not flushed', 'DFFLUSH_REQUIRED', (hw) => {
    for (const asid of [1, 2]) snpDecommission(hw, hw.firmware.contextPage(asid));
    return snpShutdown(hw);
  }),
  about(C.SnpShutdown, 'shut down already', 'SUCCESS', (hw) => {
    down(hw);
    return snpShutdown(hw);
  }),
  on(
    C.SnpShutdown,
    'FIRMWARE_IOMMU',
    'SUCCESS',
    'RECLAIM',
    (hw) => {
      down(hw);
      snpInit(hw, { iommu: { start: HEAD, end: HEAD + 1 } });
      snpDfFlush(hw);
      return snpShutdown(hw, true);
    },
    'IOMMU_SNP_SHUTDOWN',
  ),
  about(C.SnpActivate, 'guest RUNNING, active', 'ACTIVE', (hw) => {
    snpLaunchFinish(hw, gctx(hw));
    return snpActivate(hw, gctx(hw), 9);
  }),
  about(C.SnpLaunchFinish, 'guest in INIT', 'INVALID_GUEST_STATE', (hw) => snpLaunchFinish(hw, newGuest(hw))),
  about(C.SnpDecommission, 'a guest that the host came up with', 'SUCCESS', (hw) => snpDecommission(hw, gctx(hw))),
  on(
    C.SnpGuestRequest,
    'FIRMWARE',
    'INVALID_PAGE_SIZE',
    'FIRMWARE',
    (hw) => {
      large(hw, 'FIRMWARE', MORE);
      return snpGuestRequest(hw, gctx(hw), MORE, HEAD);
    },
    'request page is 2M',
  ),
  on(
    C.SnpGctxCreate,
    'FIRMWARE',
    'INVALID_PAGE_SIZE',
    'FIRMWARE',
    (hw) => {
      large(hw, 'FIRMWARE');
      return snpGctxCreate(hw, HEAD, 9);
    },
    '2M',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_GUEST',
    'PRE_GUEST',
    (hw) => {
      snpDecommission(hw, gctx(hw));
      return hw.snpLaunchUpdate(1, HEAD, PageType.Normal);
    },
    'no context',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INACTIVE',
    'PRE_GUEST',
    (hw) => {
      inLaunch(hw);
      return hw.snpLaunchUpdate(9, HEAD, PageType.Normal);
    },
    'guest not active',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'SUCCESS',
    'GUEST_VALID',
    (hw) => {
      large(hw, 'PRE_GUEST');
      return hw.snpLaunchUpdate(1, HEAD, PageType.Normal, 1);
    },
    '2M',
  ),
  ...[PageType.Vmsa, PageType.Secrets, PageType.Cpuid].map((type) =>
    on(
      C.SnpLaunchUpdate,
      'PRE_GUEST',
      'INVALID_PAGE_SIZE',
      'PRE_GUEST',
      (hw) => {
        large(hw, 'PRE_GUEST');
        return hw.snpLaunchUpdate(1, HEAD, type, 1);
      },
      `2M, page type ${type}`,
    ),
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_ADDRESS',
    'PRE_GUEST',
    (hw) => {
      large(hw, 'PRE_GUEST');
      return hw.snpLaunchUpdate(1, HEAD + 1, PageType.Normal, 1);
    },
    'in the middle of 2M',
  ),
  on(
    C.SnpPageReclaim,
    'PRE_GUEST',
    'INVALID_ADDRESS',
    'PRE_GUEST',
    (hw) => {
      large(hw, 'PRE_GUEST');
      return hw.snpPageReclaim(HEAD + 1, 1);
    },
    'in the middle of 2M',
  ),
  on(
    C.SnpPageReclaim,
    'PRE_GUEST',
    'SUCCESS',
    'GUEST_INVALID',
    (hw) => {
      large(hw, 'PRE_GUEST');
      return hw.snpPageReclaim(HEAD, 1);
    },
    '2M',
  ),
  about(C.SnpPageReclaim, 'not covered', 'INVALID_ADDRESS', (hw) => hw.snpPageReclaim(2 ** 20)),
  about(C.SnpPageSetState, 'not on 2M', 'INVALID_PARAM', (hw) => snpPageSetState(hw, HEAD + 1, 1)),
  about(C.SnpPageUnsmash, 'not on 2M', 'INVALID_PARAM', (hw) => snpPageUnsmash(hw, HEAD + 1)),
  ...(
    [
      ['one is a VMSA', [5, ASID_1 | VMSA], 0xf],
      ['one of another guest', [5, 2 * ASID_1], 0xf],
      ['one with another GPA', [5 + (1 << 30), ASID_1], 0xf],
      ['one not immutable', [1, ASID_1], 0xf],
      ['one with other permissions', [5, ASID_1], 0x10f],
    ] as const
  ).map(([note, [w0, w1], masks]) =>
    on(
      C.SnpPageUnsmash,
      'PRE_GUEST',
      STATE,
      'PRE_GUEST',
      (hw) => {
        smashed(hw, 'PRE_GUEST');
        hw.writeRaw((HEAD + 9) as never, (w0 + 9 * 4096) >>> 0, w1 >>> 0, masks, 0);
        return snpPageUnsmash(hw, HEAD);
      },
      note,
    ),
  ),
  on(
    C.SnpPageMdInit,
    'FIRMWARE',
    'INVALID_GUEST_STATE',
    'FIRMWARE',
    (hw) => snpPageMdInit(hw, newGuest(hw), HEAD),
    'guest in INIT',
  ),
  ...(
    [
      ['guest in INIT', 'INVALID_GUEST_STATE', newGuest],
      ['guest not active', 'INACTIVE', inLaunch],
    ] as const
  ).flatMap(([note, status, make]) => [
    on(
      C.SnpPageMove,
      'PRE_GUEST',
      status,
      'PRE_GUEST',
      (hw) => {
        put(hw, 'PRE_GUEST', MORE);
        return snpPageMove(hw, make(hw), HEAD, MORE, 0);
      },
      note,
    ),
    on(
      C.SnpPageSwapOut,
      'PRE_GUEST',
      status,
      'PRE_GUEST',
      (hw) => {
        put(hw, 'FIRMWARE', MORE);
        return snpPageSwapOut(hw, { ...swap(hw, HEAD, MORE, 'DATA'), gctx: make(hw) });
      },
      note,
    ),
    on(
      C.SnpPageSwapIn,
      'PRE_GUEST',
      status,
      'PRE_GUEST',
      (hw) => {
        put(hw, 'FIRMWARE', MORE);
        return snpPageSwapIn(hw, { ...swap(hw, MORE, HEAD, 'DATA'), gctx: make(hw) });
      },
      note,
    ),
  ]),
  on(
    C.SnpPageMove,
    'PRE_GUEST',
    'INVALID_PAGE_OWNER',
    'PRE_GUEST',
    (hw) => {
      put(hw, 'PRE_GUEST', OTHER);
      return snpPageMove(hw, hw.firmware.contextPage(2), HEAD, OTHER, 0);
    },
    "another guest's",
  ),
  on(
    C.SnpPageMove,
    'PRE_GUEST',
    'INVALID_PAGE_SIZE',
    'PRE_GUEST',
    (hw) => {
      large(hw, 'PRE_GUEST', OTHER);
      return snpPageMove(hw, gctx(hw), HEAD, OTHER, 0);
    },
    'target is 2M',
  ),
  on(
    C.SnpPageSwapOut,
    'PRE_GUEST',
    'INVALID_PAGE_OWNER',
    'PRE_GUEST',
    (hw) => {
      put(hw, 'FIRMWARE', OTHER);
      return snpPageSwapOut(hw, { ...swap(hw, HEAD, OTHER, 'DATA'), gctx: hw.firmware.contextPage(2) });
    },
    "another guest's",
  ),
  on(
    C.SnpPageSwapOut,
    'PRE_GUEST',
    STATE,
    'PRE_GUEST',
    (hw) => snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'DATA')),
    'target is HYPERVISOR',
  ),
  ...(
    [
      ['metadata page is FIRMWARE', STATE, 'FIRMWARE', MORE, 0],
      ['metadata of another guest', 'INVALID_PAGE_OWNER', 'METADATA', MORE, 0],
      ['no such metadata entry', 'INVALID_PARAM', 'METADATA', MORE, 64],
      ['metadata page is the source', 'INVALID_PARAM', 'PRE_GUEST', HEAD, 0],
    ] as const
  ).map(([note, status, state, page, entry]) =>
    on(
      C.SnpPageSwapOut,
      'PRE_GUEST',
      status,
      'PRE_GUEST',
      (hw) => {
        put(hw, 'FIRMWARE', OTHER);
        put(hw, state, page);
        return snpPageSwapOut(hw, { ...swap(hw, HEAD, OTHER, 'DATA'), metadata: { page, entry } });
      },
      note,
    ),
  ),
  ...(
    [
      ['another kind of page', 'INVALID_MDATA_ENTRY', 'VMSA', false],
      ['in place, another page', 'INVALID_ADDRESS', 'DATA', true],
    ] as const
  ).map(([note, status, kind, inPlace]) =>
    on(
      C.SnpPageSwapIn,
      'PRE_GUEST',
      status,
      'PRE_GUEST',
      (hw) => {
        swappedOut(hw, 'PRE_GUEST');
        return snpPageSwapIn(hw, { ...swap(hw, OTHER, HEAD, 'DATA'), kind }, inPlace);
      },
      note,
    ),
  ),
  on(
    C.SnpPageSwapIn,
    'PRE_GUEST',
    'INVALID_PAGE_OWNER',
    'PRE_GUEST',
    (hw) => {
      swappedOut(hw, 'PRE_GUEST');
      hw.writeRaw(HEAD as never, 5, 2 * ASID_1, 0xf, 0);
      return snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA'));
    },
    "another guest's",
  ),
  on(
    C.SnpPageSwapIn,
    'PRE_GUEST',
    'SUCCESS',
    'PRE_SWAP',
    (hw) => {
      put(hw, 'PRE_SWAP');
      put(hw, 'FIRMWARE', OTHER);
      snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'DATA'));
      return snpPageSwapIn(hw, swap(hw, HEAD, HEAD, 'DATA'), true);
    },
    'in place',
  ),
];
