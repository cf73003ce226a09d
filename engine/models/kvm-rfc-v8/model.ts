/** KVM with RFC v8 of the SNP host series (20230220183847.59159-1-michael.roth@amd.com): the RMP follows the attribute ioctl. */
import type { ModelManifest } from '../model.ts';

export const kvmRfcV8: ModelManifest = {
  name: 'kvm-rfc-v8',
  description: 'KVM with RFC v8 of the SEV-SNP host series: restrictedmem, and RMPUPDATE in KVM_SET_MEMORY_ATTRIBUTES',
  eagerRmp: true,
  // invalidate_direct_map() maps every page again that it has just unmapped (found by Tom Dohrmann, Y/9AEyiMLKfj+/mK@notebook).
  knownDefects: [{ rule: 'DM', functions: ['rmpupdate', 'invalidate_direct_map'] }],
};
