/** Operands of the tables of operations, in the few shapes that they come in. */
import type { Operand } from './operation-table.ts';

export const at = (name: string, kind: Operand['kind'], doc: string): Operand => ({
  name,
  kind,
  form: 'positional',
  doc,
});
export const named = (name: string, kind: Operand['kind'], byDefault: string, doc: string): Operand => ({
  name,
  kind,
  form: 'named',
  default: byDefault,
  doc,
});
/** A named operand that may be left out, with nothing in its place. */
export const optional = (name: string, kind: Operand['kind'], doc: string): Operand => ({
  name,
  kind,
  form: 'named',
  optional: true,
  doc,
});
export const flag = (name: string, doc: string): Operand => ({ name, kind: 'bool', form: 'flag', doc });
export const oneOf = (name: string, words: readonly string[], byDefault: string | undefined, doc: string): Operand => ({
  name,
  kind: 'word',
  words,
  form: 'positional',
  ...(byDefault === undefined ? {} : { default: byDefault }),
  doc,
});

export const GUEST = at('guest', 'guest', 'The guest, by name.');
export const PFN = at('pfn', 'pfn', 'System physical frame: `pfn(g, 64K)` for the page behind a GPA.');
export const size = (doc: string): Operand => oneOf('size', ['4K', '2M'], '4K', doc);
export const PAGE_TYPE = oneOf(
  'type',
  ['NORMAL', 'VMSA', 'ZERO', 'UNMEASURED', 'SECRETS', 'CPUID'],
  'NORMAL',
  'Page type of SNP_LAUNCH_UPDATE; VMSA, SECRETS and CPUID pages are 4K.',
);
