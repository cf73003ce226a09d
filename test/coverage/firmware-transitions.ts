/**
 * The firmware's commands by state of the page, or of the guest, that they are given: what each answers, and what the page is then (SNP firmware ABI,
 * Page State Machine, Guest State Machine and the commands; the Genoa firmware's sev_mcmd.c). Every row can be executed on a fresh host.
 */
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
import { HEAD } from '../engine/hardware/machine-kit.ts';
import { refusals } from './firmware-refusals.ts';
import {
  about,
  but,
  C,
  down,
  gctx,
  inLaunch,
  launchUpdate,
  MORE,
  newGuest,
  OTHER,
  on,
  put,
  RAW,
  reclaim,
  STATE,
  smashed,
  swap,
  swappedOut,
  type Transition,
} from './firmware-setup.ts';

export type { Transition } from './firmware-setup.ts';

export const transitions: readonly Transition[] = [
  about(C.SnpInit, 'platform shut down', 'SUCCESS', (hw) => {
    down(hw);
    return snpInit(hw);
  }),
  about(C.SnpInit, 'platform initialized', 'INVALID_PLATFORM_STATE', (hw) => snpInit(hw)),
  about(C.SnpInit, 'RMP not on 1M', 'INVALID_CONFIG', (hw) => {
    down(hw);
    return snpInit(hw, { rmp: { start: 1, end: 257 } });
  }),
  about(C.SnpShutdown, 'no guest active, flushed', 'SUCCESS', (hw) => {
    down(hw);
    return snpShutdown(hw);
  }),
  about(C.SnpShutdown, 'a guest is active', 'DFFLUSH_REQUIRED', (hw) => {
    inLaunch(hw);
    snpActivate(hw, OTHER, 9);
    return snpShutdown(hw);
  }),
  about(C.SnpDfFlush, 'platform initialized', 'SUCCESS', (hw) => snpDfFlush(hw)),
  about(C.SnpDfFlush, 'platform shut down', 'INVALID_PLATFORM_STATE', (hw) => {
    down(hw);
    return snpDfFlush(hw);
  }),

  on(C.SnpGctxCreate, 'FIRMWARE', 'SUCCESS', 'CONTEXT', (hw) => snpGctxCreate(hw, HEAD, 9)),
  ...but('FIRMWARE').map((state) => on(C.SnpGctxCreate, state, STATE, state, (hw) => snpGctxCreate(hw, HEAD, 9))),
  about(C.SnpLaunchStart, 'guest in INIT', 'SUCCESS', (hw) => snpLaunchStart(hw, newGuest(hw))),
  about(C.SnpLaunchStart, 'guest in LAUNCH', 'INVALID_GUEST_STATE', (hw) => snpLaunchStart(hw, inLaunch(hw))),
  about(C.SnpLaunchStart, 'no context', 'INVALID_GUEST', (hw) => snpLaunchStart(hw, HEAD)),
  about(C.SnpActivate, 'guest in LAUNCH, free ASID', 'SUCCESS', (hw) => snpActivate(hw, inLaunch(hw), 9)),
  about(C.SnpActivate, 'guest in INIT', 'INVALID_GUEST_STATE', (hw) => snpActivate(hw, newGuest(hw), 9)),
  about(C.SnpActivate, 'pages count for the ASID', 'INVALID_CONFIG', (hw) => {
    hw.rmpupdate(HEAD * 4096, 0, 1, 0, 0, 9);
    return snpActivate(hw, inLaunch(hw), 9);
  }),
  about(C.SnpActivate, 'no such ASID', 'INVALID_ASID', (hw) => snpActivate(hw, inLaunch(hw), 0)),
  about(C.SnpActivate, "another guest's ASID", 'ASID_OWNED', (hw) => snpActivate(hw, inLaunch(hw), 1)),
  about(C.SnpActivate, 'active already', 'ACTIVE', (hw) => {
    snpActivate(hw, inLaunch(hw), 9);
    return snpActivate(hw, OTHER, 8);
  }),
  about(C.SnpActivate, 'ASID not flushed', 'DFFLUSH_REQUIRED', (hw) => {
    snpDecommission(hw, gctx(hw));
    return snpActivate(hw, inLaunch(hw), 1);
  }),
  about(C.SnpLaunchFinish, 'guest in LAUNCH', 'SUCCESS', (hw) => snpLaunchFinish(hw, gctx(hw))),
  about(C.SnpLaunchFinish, 'guest RUNNING', 'INVALID_GUEST_STATE', (hw) => {
    snpLaunchFinish(hw, gctx(hw));
    return snpLaunchFinish(hw, gctx(hw));
  }),
  about(C.SnpLaunchFinish, 'guest not active', 'INACTIVE', (hw) => snpLaunchFinish(hw, inLaunch(hw))),
  on(C.SnpGuestRequest, 'FIRMWARE', 'SUCCESS', 'FIRMWARE', (hw) => {
    snpLaunchFinish(hw, gctx(hw));
    return snpGuestRequest(hw, gctx(hw), MORE, HEAD);
  }),
  on(C.SnpGuestRequest, 'FIRMWARE', 'INVALID_GUEST_STATE', 'FIRMWARE', (hw) =>
    snpGuestRequest(hw, gctx(hw), MORE, HEAD),
  ),
  ...but('FIRMWARE').map((state) =>
    on(C.SnpGuestRequest, state, STATE, state, (hw) => {
      snpLaunchFinish(hw, gctx(hw));
      return snpGuestRequest(hw, gctx(hw), MORE, HEAD);
    }),
  ),
  on(C.SnpDecommission, 'CONTEXT', 'SUCCESS', 'FIRMWARE', (hw) => {
    put(hw, 'FIRMWARE');
    snpGctxCreate(hw, HEAD, 9);
    return snpDecommission(hw, HEAD);
  }),
  on(C.SnpDecommission, 'FIRMWARE', 'INVALID_GUEST', 'FIRMWARE', (hw) => snpDecommission(hw, HEAD)),

  ...Object.entries(PageType).map(([name, type]) =>
    on(C.SnpLaunchUpdate, 'PRE_GUEST', 'SUCCESS', 'GUEST_VALID', launchUpdate(type), name.toUpperCase()),
  ),
  ...Object.keys(RAW)
    .filter((state) => state !== 'PRE_GUEST')
    .map((state) => on(C.SnpLaunchUpdate, state, STATE, state, launchUpdate(PageType.Normal))),
  on(C.SnpLaunchUpdate, 'PRE_GUEST', 'INVALID_PARAM', 'PRE_GUEST', launchUpdate(7), 'no such type'),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_PARAM',
    'PRE_GUEST',
    (hw) => hw.snpLaunchUpdate(1, HEAD, PageType.Cpuid, 0, [0, 0, 0], false),
    'CPUID page rejected',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_PAGE_SIZE',
    'PRE_GUEST',
    (hw) => hw.snpLaunchUpdate(1, HEAD, PageType.Normal, 1),
    '2M asked for',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_PAGE_OWNER',
    'PRE_GUEST',
    (hw) => hw.snpLaunchUpdate(2, HEAD, PageType.Normal),
    'of another guest',
  ),
  on(
    C.SnpLaunchUpdate,
    'PRE_GUEST',
    'INVALID_GUEST_STATE',
    'PRE_GUEST',
    (hw) => {
      snpLaunchFinish(hw, gctx(hw));
      return hw.snpLaunchUpdate(1, HEAD, PageType.Normal);
    },
    'guest RUNNING',
  ),

  ...(
    [
      ['FIRMWARE', 'RECLAIM'],
      ['METADATA', 'RECLAIM'],
      ['PRE_GUEST', 'GUEST_INVALID'],
      ['PRE_SWAP', 'GUEST_VALID'],
      ['HYPERVISOR', 'HYPERVISOR'],
      ['RECLAIM', 'RECLAIM'],
      ['GUEST_INVALID', 'GUEST_INVALID'],
      ['GUEST_VALID', 'GUEST_VALID'],
    ] as const
  ).map(([before, after]) => on(C.SnpPageReclaim, before, 'SUCCESS', after, reclaim)),
  ...['CONTEXT', 'HV_FIXED', 'FIRMWARE_IOMMU'].map((state) => on(C.SnpPageReclaim, state, STATE, state, reclaim)),
  on(
    C.SnpPageReclaim,
    'PRE_GUEST',
    'INVALID_PAGE_SIZE',
    'PRE_GUEST',
    (hw) => hw.snpPageReclaim(HEAD, 1),
    '2M asked for',
  ),

  on(C.SnpPageSetState, 'FIRMWARE', 'SUCCESS', 'HV_FIXED', (hw) => snpPageSetState(hw, HEAD, 1)),
  ...but('FIRMWARE').map((state) => on(C.SnpPageSetState, state, STATE, state, (hw) => snpPageSetState(hw, HEAD, 1))),

  on(C.SnpPageMdInit, 'FIRMWARE', 'SUCCESS', 'METADATA', (hw) => snpPageMdInit(hw, gctx(hw), HEAD)),
  ...but('FIRMWARE').map((state) =>
    on(C.SnpPageMdInit, state, STATE, state, (hw) => snpPageMdInit(hw, gctx(hw), HEAD)),
  ),
  ...(['PRE_GUEST', 'PRE_SWAP'] as const).map((state) =>
    on(C.SnpPageSwapOut, state, 'SUCCESS', 'PRE_GUEST', (hw) => {
      put(hw, 'FIRMWARE', OTHER);
      return snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'DATA'));
    }),
  ),
  on(C.SnpPageSwapOut, 'METADATA', 'SUCCESS', 'FIRMWARE', (hw) => {
    put(hw, 'FIRMWARE');
    snpPageMdInit(hw, gctx(hw), HEAD);
    put(hw, 'FIRMWARE', OTHER);
    return snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'METADATA'));
  }),
  ...but('PRE_GUEST', 'PRE_SWAP').map((state) =>
    on(C.SnpPageSwapOut, state, STATE, state, (hw) => {
      put(hw, 'FIRMWARE', OTHER);
      return snpPageSwapOut(hw, swap(hw, HEAD, OTHER, 'DATA'));
    }),
  ),
  on(
    C.SnpPageSwapIn,
    'PRE_GUEST',
    'SUCCESS',
    'PRE_SWAP',
    (hw) => {
      swappedOut(hw, 'PRE_SWAP');
      return snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA'));
    },
    'had been validated',
  ),
  on(
    C.SnpPageSwapIn,
    'PRE_GUEST',
    'SUCCESS',
    'PRE_GUEST',
    (hw) => {
      swappedOut(hw, 'PRE_GUEST');
      return snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA'));
    },
    'had not been validated',
  ),
  on(
    C.SnpPageSwapIn,
    'PRE_GUEST',
    'INVALID_MDATA_ENTRY',
    'PRE_GUEST',
    (hw) => snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA')),
    'nothing was swapped out',
  ),
  ...but('PRE_GUEST').map((state) =>
    on(C.SnpPageSwapIn, state, STATE, state, (hw) => {
      swappedOut(hw, 'PRE_SWAP');
      return snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'DATA'));
    }),
  ),
  on(C.SnpPageSwapIn, 'FIRMWARE', 'SUCCESS', 'METADATA', (hw) => {
    put(hw, 'FIRMWARE', MORE);
    snpPageMdInit(hw, gctx(hw), MORE);
    put(hw, 'FIRMWARE', OTHER);
    snpPageSwapOut(hw, swap(hw, MORE, OTHER, 'METADATA'));
    return snpPageSwapIn(hw, swap(hw, OTHER, HEAD, 'METADATA'));
  }),

  on(
    C.SnpPageMove,
    'PRE_GUEST',
    'SUCCESS',
    'GUEST_INVALID',
    (hw) => {
      put(hw, 'PRE_GUEST', OTHER);
      return snpPageMove(hw, gctx(hw), HEAD, OTHER, 0);
    },
    'the source',
  ),
  on(
    C.SnpPageMove,
    'PRE_SWAP',
    'SUCCESS',
    'GUEST_INVALID',
    (hw) => {
      put(hw, 'PRE_GUEST', OTHER);
      return snpPageMove(hw, gctx(hw), HEAD, OTHER, 0);
    },
    'the source',
  ),
  on(
    C.SnpPageMove,
    'PRE_GUEST',
    'SUCCESS',
    'GUEST_VALID',
    (hw) => {
      put(hw, 'PRE_SWAP', OTHER);
      return snpPageMove(hw, gctx(hw), OTHER, HEAD, 0);
    },
    'the target of PRE_SWAP',
  ),
  on(C.SnpPageMove, 'METADATA', 'SUCCESS', 'FIRMWARE', (hw) => {
    put(hw, 'FIRMWARE');
    snpPageMdInit(hw, gctx(hw), HEAD);
    put(hw, 'FIRMWARE', OTHER);
    return snpPageMove(hw, gctx(hw), HEAD, OTHER, 0);
  }),
  ...but('PRE_GUEST', 'PRE_SWAP', 'METADATA').map((state) =>
    on(C.SnpPageMove, state, STATE, state, (hw) => {
      put(hw, 'PRE_GUEST', OTHER);
      return snpPageMove(hw, gctx(hw), HEAD, OTHER, 0);
    }),
  ),

  ...['PRE_GUEST', 'PRE_SWAP'].map((state) =>
    on(
      C.SnpPageUnsmash,
      state,
      'SUCCESS',
      state,
      (hw) => {
        smashed(hw, state);
        return snpPageUnsmash(hw, HEAD);
      },
      '512 alike',
    ),
  ),
  on(
    C.SnpPageUnsmash,
    'PRE_GUEST',
    STATE,
    'PRE_GUEST',
    (hw) => {
      smashed(hw, 'PRE_GUEST');
      put(hw, 'PRE_SWAP', HEAD + 9);
      return snpPageUnsmash(hw, HEAD);
    },
    'one of another state',
  ),
  ...but('PRE_GUEST', 'PRE_SWAP').map((state) =>
    on(C.SnpPageUnsmash, state, STATE, state, (hw) => {
      smashed(hw, state);
      return snpPageUnsmash(hw, HEAD);
    }),
  ),
  ...refusals,
];
