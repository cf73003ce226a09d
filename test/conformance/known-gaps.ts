/**
 * Cases that do not hold yet, by id, each with the reason. A case that begins to hold must be taken off: the runner fails until it is.
 */
export const knownGaps: Readonly<Record<string, string>> = {};
