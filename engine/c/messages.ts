/**
 * What the C front end says, in one place: rule ids and texts. A message says what was found, and where it helps why it cannot run and what to do.
 */

/** Rule ids of CodeProblem (see engine/vm/bytecode.ts) and of problems with a whole file. */
export const Rule = {
  Syntax: 'C-SYNTAX',
  Unsupported: 'C-UNSUPPORTED',
  Undefined: 'C-UNDEFINED',
  Type: 'C-TYPE',
  Patch: 'PATCH',
} as const;

export const message = {
  expected: (what: string, found: string) => `expected ${what}, found ${found}`,
  tooDeep: () => 'nested too deeply to be read (more than 200 levels)',
  undeclared: (name: string) =>
    `\`${name}\` is not declared: no header of the model and nothing in this file says what it is. Declare it, or define it in the file in use.`,
  unknownType: (name: string) => `\`${name}\` is not a type that the model's headers or this file declare`,
  undefinedFunction: (name: string) =>
    `\`${name}\` is called, but nobody defines it: neither the model, nor a patch or source in use, nor the simulator. Add \`stub ${name} returns 0\` to the scenario, or \`use source\` with a file that defines it.`,
  undefinedVariable: (name: string) => `\`${name}\` is declared, but no file in use defines it`,
  stubbedWide: (name: string) => `\`${name}\` returns a struct: a stub cannot stand for it`,
  noMember: (record: string, name: string) =>
    `\`${record}\` has no member \`${name}\` in the model's headers or this file`,
  incomplete: (type: string) => `\`${type}\` is declared, but its members are not known here`,
  notAnObject: (what: string) => `${what} cannot be assigned to`,
  notAPointer: (type: string) => `\`${type}\` is not a pointer`,
  notARecord: (type: string) => `\`${type}\` is neither a struct nor a union`,
  notCallable: (type: string) => `\`${type}\` cannot be called`,
  notScalar: (type: string) => `a value of type \`${type}\` cannot be used here`,
  operands: (op: string, a: string, b: string) => `\`${op}\` cannot be applied to \`${a}\` and \`${b}\``,
  conversion: (from: string, to: string) => `\`${from}\` cannot be converted to \`${to}\``,
  layout: (from: string, to: string) =>
    `a \`${from}\` is used as a \`${to}\`, whose memory is laid out differently: the simulator keeps memory as typed members, not as bytes. Use a union, or copy member by member.`,
  otherRecord: (name: string, record: string, path: string) =>
    `\`${name}\` takes a pointer to \`${record}\` as ${path} defines it, which is laid out differently from the caller's: the struct must be the same in every file in use`,
  tooFew: (name: string, want: number, got: number) =>
    `\`${name}\` takes ${want} argument${want === 1 ? '' : 's'}, ${got} given`,
  notConstant: (what: string) => `${what} must be an integer constant expression`,
  assertion: (text: string) => `static assertion failed: ${text}`,
  assertionUnknown: () => 'static assertion on a value that is not constant',
  unsupported: (what: string) => `${what} cannot run in the simulator`,
  unsupportedSize: (name: string, type: string) =>
    `\`${name}\` with a size that does not follow from \`${type}\`: the simulator keeps memory as typed members, not as bytes. Write the size as sizeof of the object (or a multiple of it).`,
  byteArithmetic: () =>
    'arithmetic in bytes on a `void *`: the simulator keeps memory as typed members, not as bytes. Use a typed pointer, container_of() or offsetof().',
  outside: (index: string, type: string) => `index ${index} lies outside of \`${type}\``,
  objectTooBig: (name: string) => `\`${name}\` is larger than the simulator's largest object (2^20 members)`,
  frameTooBig: (name: string) => `the local variables of \`${name}\` need more room than a kernel stack has`,
  noLabel: (name: string) => `no label \`${name}\` in this function`,
  unreadable: () => 'the statement that is jumped to cannot be read',
  strayKeyword: (name: string) => `\`${name}\` outside of a loop or switch`,
  patchModified: (name: string, file: string) =>
    `The patch changes \`${name}\` without adding all of it, so the model's version runs. To run the patched one, give the file the patch applies to: use source "${file}"`,
  patchModifiedUnknown: (name: string, file: string) =>
    `The patch changes \`${name}\` without adding all of it, and the model has no function of that name. To run it, give the file the patch applies to: use source "${file}"`,
  noFunction: (path: string) => `\`${path}\` defines no function: nothing in the model is replaced`,
} as const;
