/** KVM of Linux v6.12: guest_memfd, and an RMP that follows the first access to a page and the page's end, not the attribute. */
import type { ModelManifest } from '../model.ts';

export const kvm612: ModelManifest = {
  name: 'kvm-6.12',
  description: 'KVM of Linux v6.12: guest_memfd, RMPUPDATE at the first private fault and when a folio is freed',
  eagerRmp: false,
};
