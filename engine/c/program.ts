/**
 * The C side of a run as the rest of the engine sees it: sources in, functions out. This file is the contract; `c-program.ts` implements it.
 */

import type { Diagnostic, Location } from '../base/diagnostic.ts';
import type { Program } from '../vm/bytecode.ts';
import type { NativeTable } from '../vm/native.ts';
import type { COutline } from './c-outline.ts';
import type { CType } from './types.ts';

/** A source text with a name. `path` is what diagnostics show. */
export interface CSource {
  path: string;
  text: string;
}

/** What a C program is made of. Later overrides win over earlier ones; every override wins over the model. */
export interface CProgramInput {
  /** Model C files; all are units of the program. */
  model: CSource[];
  /** Headers by include name (`linux/kvm_host.h`); model's own small ones. Force-included first: `model.h`. */
  headers: Map<string, CSource>;
  /** `use source` / `use patch` texts in order. */
  overrides: { kind: 'source' | 'patch'; source: CSource }[];
  /** `stub name returns value`. */
  stubs: { name: string; value: number }[];
  natives: NativeTable;
  /** Typedef names whose advancing loop variables are noted (NoteKind.Progress). */
  progressTypes: string[];
}

export type CTypeKind = 'void' | 'bool' | 'int' | 'pointer' | 'struct' | 'union' | 'enum' | 'array' | 'function';

/** A function that can be called from outside. */
export interface CFunction {
  index: number;
  name: string;
  parameters: { name: string; type: string; slots: number; kind: CTypeKind; width: number; signed: boolean }[];
  returns: { type: string; kind: CTypeKind; width: number; signed: boolean };
  location: Location;
  /** From the user's patch or source rather than from the model. */
  override: boolean;
}

export interface CProgram extends Program {
  readonly files: readonly CSource[];
  /** Its functions as places in the files. */
  readonly outline: COutline;
  /** Find a function by name; undefined if nobody defines it. */
  find(name: string): CFunction | undefined;
  describe(index: number): CFunction;
  /** All functions known by name (not necessarily compiled). */
  names(): Iterable<string>;
  /** Value of an object-like macro or enum constant as the model's unit sees it, if it is an integer constant expression. */
  constant(name: string): number | bigint | undefined;
  /** Slot of a (possibly nested `a.b`) member in a struct, for code outside C that reads an object. Undefined if there is none. */
  memberSlot(structTag: string, member: string): number | undefined;
  /** sizeof in slots. */
  structSlots(structTag: string): number | undefined;
  /** Problems that concern a file as a whole (cannot be read as a patch, no function found, hunk that cannot be used …): shown in any case. */
  readonly problems: Diagnostic[];
  /** Source location of an origin. */
  location(origin: { file: number; start: number; end: number }): Location;
  /** Program-wide site number of an instruction (>= 1) and back. */
  siteOf(functionIndex: number, pc: number): number;
  site(site: number): { function: number; pc: number } | undefined;
  /** Types for the debugger: rendered name and members by slot. */
  typeName(type: number): string;
  /** The type behind LocalInfo.type. A record that was incomplete where the variable was declared is given as the program knows it. */
  typeAt(type: number): CType;
  /** The same type, complete if the program completes it anywhere. */
  completed(type: CType): CType;
  /** A file-scope variable: its type and its index among `statics`. Undefined if there is none that can be initialised. */
  staticVariable(name: string): { type: CType; index: number } | undefined;
}
