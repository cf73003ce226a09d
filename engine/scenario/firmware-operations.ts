/** The operations of `fw`: SNP firmware commands. What they do is in engine/run/operations/firmware.ts and engine/hardware/firmware-*.ts. */
import { at, flag, GUEST, named, oneOf, optional, PAGE_TYPE, PFN, size } from './operands.ts';
import type { OperationSpec } from './operation-table.ts';

type Row = Omit<OperationSpec, 'key' | 'actor' | 'name'>;

const SIZE = size('Page size of the command.');
const METADATA = optional(
  'metadata',
  'pfn',
  'METADATA page that describes the page. Default: the root entry in the context.',
);
const ENTRY = named('entry', 'int', '0', 'Which of the 64 entries of the METADATA page.');
const KIND = oneOf('kind', ['DATA', 'METADATA', 'VMSA'], 'DATA', 'What kind of page it is.');
const PLATFORM = 'INVALID_PLATFORM_STATE';
const SWAP_OUTCOMES = [
  'ok',
  PLATFORM,
  'INVALID_GUEST',
  'INVALID_GUEST_STATE',
  'INACTIVE',
  'INVALID_PAGE_SIZE',
  'INVALID_PAGE_STATE',
  'INVALID_PAGE_OWNER',
  'INVALID_PARAM',
];

export const firmwareOperations: Readonly<Record<string, Row>> = {
  snp_init: {
    operands: [
      optional('rmp', 'pfn-range', 'Frames that hold the RMP itself, on 1M: they become FIRMWARE.'),
      optional('fixed', 'pfn-range', "Frames that are to be the hypervisor's for good: they become HV_FIXED."),
      optional('iommu', 'pfn-range', 'Frames that the IOMMUs use: they become FIRMWARE_IOMMU.'),
    ],
    outcomes: ['ok', PLATFORM, 'INVALID_CONFIG'],
    doc: 'SNP_INIT: the RMP is written anew and the ASID counters are zeroed; no guest is left, and ASIDs need `fw.snp_df_flush`. A host comes up initialized: shut it down first.',
    source: 'SNP firmware ABI, SNP_INIT and SNP_INIT_EX; AMD-ASPFW configure_rmp',
    example: 'fw.snp_init(rmp pfn(0x56600) +256, fixed pfn(0x56700) +256)  => INVALID_PLATFORM_STATE',
  },
  snp_shutdown: {
    operands: [flag('iommu', "IOMMU_SNP_SHUTDOWN: the IOMMUs' pages become RECLAIM.")],
    outcomes: ['ok', 'DFFLUSH_REQUIRED'],
    doc: 'SNP_SHUTDOWN: no command is taken any more but SNP_INIT; the RMP stays in force. Guests have to be decommissioned and their ASIDs flushed before.',
    source: 'SNP firmware ABI, SNP_SHUTDOWN and SNP_SHUTDOWN_EX',
    example: 'fw.snp_shutdown()  => DFFLUSH_REQUIRED',
  },
  snp_df_flush: {
    operands: [],
    outcomes: ['ok', PLATFORM],
    doc: 'SNP_DF_FLUSH: ASIDs of decommissioned guests may be used again.',
    source: 'SNP firmware ABI, SNP_DF_FLUSH',
    example: 'fw.snp_df_flush()',
  },
  snp_gctx_create: {
    operands: [GUEST, PFN],
    outcomes: ['ok', PLATFORM, 'INVALID_PAGE_STATE', 'INVALID_PAGE_SIZE', 'INVALID_PARAM'],
    doc: 'SNP_GCTX_CREATE: a FIRMWARE page becomes the CONTEXT of a new guest, which the guest of that name is for the commands from now on.',
    source: 'SNP firmware ABI, SNP_GCTX_CREATE',
    example: 'fw.snp_gctx_create(g, 0x1000)  => INVALID_PAGE_STATE',
  },
  snp_launch_start: {
    operands: [GUEST],
    outcomes: ['ok', PLATFORM, 'INVALID_GUEST', 'INVALID_GUEST_STATE'],
    doc: 'SNP_LAUNCH_START: begin the launch. KVM has done so for the guests of the scenario.',
    source: 'SNP firmware ABI, SNP_LAUNCH_START',
    example: 'fw.snp_launch_start(g)  => INVALID_GUEST_STATE',
  },
  snp_activate: {
    operands: [GUEST, optional('asid', 'int', "The ASID. Default: the guest's.")],
    outcomes: [
      'ok',
      PLATFORM,
      'INVALID_GUEST',
      'INVALID_GUEST_STATE',
      'INVALID_CONFIG',
      'INVALID_ASID',
      'ASID_OWNED',
      'ACTIVE',
      'DFFLUSH_REQUIRED',
    ],
    doc: 'SNP_ACTIVATE: bind the guest to an ASID. INVALID_CONFIG says that pages are still assigned to the ASID: leaked by a guest that is gone.',
    source: 'SNP firmware ABI, SNP_ACTIVATE; AMD-ASPFW check_rmp_for_asid',
    example: 'fw.snp_activate(g)  => ASID_OWNED',
  },
  snp_launch_update: {
    operands: [
      GUEST,
      PFN,
      PAGE_TYPE,
      named('vmpl1', 'int', '0', 'Permissions of VMPL1: R 1, W 2, user X 4, supervisor X 8.'),
      named('vmpl2', 'int', '0', 'Permissions of VMPL2.'),
      named('vmpl3', 'int', '0', 'Permissions of VMPL3.'),
      SIZE,
      flag('rejected', 'The firmware rejects the contents of the CPUID page.'),
    ],
    outcomes: [
      'ok',
      PLATFORM,
      'INVALID_GUEST',
      'INVALID_PAGE_STATE',
      'INVALID_PAGE_SIZE',
      'INVALID_ADDRESS',
      'INVALID_PARAM',
      'INVALID_GUEST_STATE',
      'INACTIVE',
      'INVALID_PAGE_OWNER',
    ],
    doc: 'SNP_LAUNCH_UPDATE: encrypt and measure a page in state PRE_GUEST; it becomes GUEST_VALID.',
    source: 'SNP firmware ABI, SNP_LAUNCH_UPDATE',
    example: 'fw.snp_launch_update(g, pfn(g, 0))',
  },
  snp_launch_finish: {
    operands: [GUEST],
    outcomes: ['ok', PLATFORM, 'INVALID_GUEST', 'INVALID_GUEST_STATE', 'INACTIVE'],
    doc: 'SNP_LAUNCH_FINISH: the guest may run, and no page joins its initial memory any more.',
    source: 'SNP firmware ABI, SNP_LAUNCH_FINISH',
    example: 'fw.snp_launch_finish(g)',
  },
  snp_guest_request: {
    operands: [
      GUEST,
      at('request', 'pfn', 'Page with the message; 4K.'),
      at('response', 'pfn', 'Page for the answer: FIRMWARE, 4K.'),
    ],
    outcomes: [
      'ok',
      PLATFORM,
      'INVALID_GUEST',
      'INVALID_PAGE_STATE',
      'INVALID_PAGE_SIZE',
      'INVALID_GUEST_STATE',
      'INVALID_PARAM',
    ],
    doc: 'SNP_GUEST_REQUEST: a message of a running guest to the firmware. The pages are checked; the message is not modelled.',
    source: 'SNP firmware ABI, SNP_GUEST_REQUEST',
    example: 'fw.snp_guest_request(g, 0x1000, 0x1001)  => INVALID_PAGE_STATE',
  },
  snp_decommission: {
    operands: [GUEST],
    outcomes: ['ok', PLATFORM, 'INVALID_GUEST'],
    doc: 'SNP_DECOMMISSION: the guest is gone, its CONTEXT page is FIRMWARE. Its ASID needs `fw.snp_df_flush`; its pages stay assigned.',
    source: 'SNP firmware ABI, SNP_DECOMMISSION',
    example: 'fw.snp_decommission(g)',
  },
  snp_page_reclaim: {
    operands: [PFN, SIZE],
    outcomes: ['ok', PLATFORM, 'INVALID_PAGE_STATE', 'INVALID_PAGE_SIZE', 'INVALID_ADDRESS', 'INVALID_PARAM'],
    doc: 'SNP_PAGE_RECLAIM: clear Immutable, so that the hypervisor can take the page back.',
    source: 'SNP firmware ABI, SNP_PAGE_RECLAIM',
    example: 'fw.snp_page_reclaim(pfn(g, 0))',
  },
  snp_page_set_state: {
    operands: [at('pages', 'pfn-range', 'The pages, all of them FIRMWARE; the first is 2M-aligned.')],
    outcomes: ['ok', PLATFORM, 'INVALID_PAGE_STATE', 'INVALID_ADDRESS', 'INVALID_PARAM'],
    doc: 'SNP_PAGE_SET_STATE: FIRMWARE pages become HV_FIXED, the hypervisor’s until the next SNP_INIT.',
    source: 'SNP firmware ABI, SNP_PAGE_SET_STATE; AMD-ASPFW page_set_hv_fixed',
    example: 'fw.snp_page_set_state(pfn(0x1000) +16)  => INVALID_PAGE_STATE',
  },
  snp_page_unsmash: {
    operands: [PFN],
    outcomes: ['ok', PLATFORM, 'INVALID_PAGE_STATE', 'INVALID_ADDRESS', 'INVALID_PARAM'],
    doc: 'SNP_PAGE_UNSMASH: 512 4K entries become one of 2M. They are immutable, of one guest and one state, no VMSA, with the same permissions and consecutive GPAs from a 2M boundary on.',
    source: 'SNP firmware ABI, SNP_PAGE_UNSMASH',
    example: 'fw.snp_page_unsmash(pfn(g, 0))  => INVALID_PAGE_STATE',
  },
  snp_page_move: {
    operands: [
      GUEST,
      at('from', 'pfn', 'The page: PRE_GUEST or PRE_SWAP of the guest, or METADATA.'),
      at('into', 'pfn', 'Where to: PRE_GUEST of the guest, or FIRMWARE for METADATA.'),
      SIZE,
    ],
    outcomes: SWAP_OUTCOMES,
    doc: 'SNP_PAGE_MOVE: contents and RMP entry move to another page, which is the guest’s then.',
    source: 'SNP firmware ABI, SNP_PAGE_MOVE',
    example: 'fw.snp_page_move(g, pfn(g, 0), pfn(g, 4K))  => INVALID_PAGE_STATE',
  },
  snp_page_md_init: {
    operands: [GUEST, PFN],
    outcomes: ['ok', PLATFORM, 'INVALID_GUEST', 'INVALID_PAGE_STATE', 'INVALID_GUEST_STATE', 'INVALID_PARAM'],
    doc: 'SNP_PAGE_MD_INIT: a FIRMWARE page becomes METADATA of the guest, with room for 64 entries.',
    source: 'SNP firmware ABI, SNP_PAGE_MD_INIT',
    example: 'fw.snp_page_md_init(g, 0x1000)  => INVALID_PAGE_STATE',
  },
  snp_page_swap_out: {
    operands: [
      GUEST,
      at('from', 'pfn', 'The page: PRE_GUEST or PRE_SWAP of the guest, or METADATA.'),
      at('into', 'pfn', 'Where the ciphertext goes: FIRMWARE, or not covered by the RMP.'),
      KIND,
      SIZE,
      METADATA,
      ENTRY,
    ],
    outcomes: SWAP_OUTCOMES,
    doc: 'SNP_PAGE_SWAP_OUT: the page leaves the guest’s memory and is PRE_GUEST (METADATA: FIRMWARE) then; what the RMP knew of it goes into a metadata entry.',
    source: 'SNP firmware ABI, SNP_PAGE_SWAP_OUT',
    example: 'fw.snp_page_swap_out(g, pfn(g, 0), 0x1000, metadata 0x1001)  => INVALID_PAGE_STATE',
  },
  snp_page_swap_in: {
    operands: [
      GUEST,
      at('from', 'pfn', 'The page with the ciphertext.'),
      at('into', 'pfn', 'Where to: PRE_GUEST of the guest, or FIRMWARE for METADATA.'),
      KIND,
      SIZE,
      METADATA,
      ENTRY,
      flag('in_place', 'SWAP_IN_PLACE: both pages are the same.'),
    ],
    outcomes: [...SWAP_OUTCOMES, 'INVALID_MDATA_ENTRY', 'INVALID_ADDRESS'],
    doc: 'SNP_PAGE_SWAP_IN: the page comes back with GPA, permissions, VMSA and Validated as the metadata entry has them: PRE_SWAP if it was validated.',
    source: 'SNP firmware ABI, SNP_PAGE_SWAP_IN',
    example: 'fw.snp_page_swap_in(g, 0x1000, pfn(g, 0))  => INVALID_MDATA_ENTRY',
  },
  write_rmp_entry: {
    operands: [PFN, at('low', 'int', 'Low 64 bits.'), at('high', 'int', 'High 64 bits.')],
    outcomes: ['ok', 'INVALID_ADDRESS'],
    doc: 'Write the 16 raw bytes of an RMP entry, checked by nothing: a what-if.',
    source: 'Processor Programming Reference, RMP entry format',
    example: 'fw.write_rmp_entry(pfn(g, 0), 0x6010fffffffff001, 0x1f)',
  },
};
