/**
 * Cases that do not hold yet, by id, each with the reason. A case that begins to hold must be taken off: the runner fails until it is.
 */
export const knownGaps: Readonly<Record<string, string>> = {
  'kvm-rfc-v8/c58-conflict-outlasts-retries':
    'OVERLAP takes every FAIL_OVERLAP that outlasts the retries for a page of the other size in the way, also when none is there',
};
