/** The functions of expressions: conversions between the kinds, and what names a thing of a guest. */

export interface FunctionSpec {
  name: string;
  /** How it can be called. */
  signatures: readonly string[];
  doc: string;
}

export const functions: readonly FunctionSpec[] = [
  {
    name: 'pfn',
    signatures: ['pfn(guest, gpa)', 'pfn(spa)', 'pfn(number)'],
    doc: 'The frame that backs a GPA privately, allocated or as it would be; the frame of a system physical address; a frame by its number.',
  },
  {
    name: 'gfn',
    signatures: ['gfn(gpa)', 'gfn(number)'],
    doc: 'The guest frame of a GPA; a guest frame by its number. Also of ranges.',
  },
  {
    name: 'gpa',
    signatures: ['gpa(gfn)', 'gpa(number)'],
    doc: 'The GPA of a guest frame; a GPA by its number. Also of ranges.',
  },
  {
    name: 'spa',
    signatures: ['spa(pfn)', 'spa(number)'],
    doc: 'The system physical address of a frame; an address by its number.',
  },
  { name: 'start', signatures: ['start(range)'], doc: 'The first of a range.' },
  { name: 'end', signatures: ['end(range)'], doc: 'One past the last of a range.' },
  { name: 'slot', signatures: ['slot(guest, id)'], doc: 'A memory slot, for `kernel.<function>(…)`.' },
  { name: 'vcpu', signatures: ['vcpu(guest, id)'], doc: 'A vCPU, for `kernel.<function>(…)`.' },
];

export const functionNames: readonly string[] = functions.map((f) => f.name);
export const functionNamed = (name: string): FunctionSpec | undefined => functions.find((f) => f.name === name);
