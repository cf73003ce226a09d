/**
 * C types as the kernel's compiler sees them on x86-64 (LP64, System V ABI): constructors, predicates, integer promotions and the usual
 * arithmetic conversions (C11 6.3.1). Sizes and slots are in `layout.ts`.
 *
 * Qualifiers do not exist here: const, volatile and the kernel's address-space marks change nothing that a simulation can see. A typedef's name
 * is kept as `alias` on a copy of a scalar type, since rules about frame numbers go by the declared name (`gfn_t`).
 */
import { IntKind } from '../vm/bytecode.ts';

export interface VoidType {
  kind: 'void';
  alias?: string;
}
export interface BoolType {
  kind: 'bool';
  alias?: string;
}
export interface IntType {
  kind: 'int';
  width: 8 | 16 | 32 | 64;
  signed: boolean;
  /** Distinguishes types of equal width: `long` from `long long`, `char` from `signed char` (C11 6.2.5). */
  name: string;
  alias?: string;
}
/** An enumeration; GCC makes it `unsigned int` unless a constant is negative, and 64 bits wide when one needs it. */
export interface EnumType {
  kind: 'enum';
  tag: string | undefined;
  width: 32 | 64;
  signed: boolean;
  complete: boolean;
  alias?: string;
}
export interface PointerType {
  kind: 'pointer';
  to: CType;
  /** Levels of derivation, bounded so that no walk over a type can run deep. */
  depth: number;
  alias?: string;
}
export interface ArrayType {
  kind: 'array';
  of: CType;
  /** Elements; -1 while unknown (`[]`). */
  length: number;
  depth: number;
  alias?: string;
}
export interface Parameter {
  name: string;
  type: CType;
}
export interface FunctionType {
  kind: 'function';
  returns: CType;
  parameters: Parameter[];
  variadic: boolean;
  /** `()`: nothing is known about the parameters. */
  unspecified: boolean;
  depth: number;
  alias?: string;
}
export interface Member {
  /** Empty for an anonymous struct or union, whose members are reached as the outer one's. */
  name: string;
  type: CType;
  /** First slot, from the start of the record. */
  slot: number;
  /** Bytes from the start of the record (a bit-field: of its storage unit). */
  offset: number;
  /** Bit-field: bits from the start of the storage unit, and width. */
  bits?: { offset: number; width: number };
  /** Declared with `__attribute__((snp_must_propagate))`: a function pointer whose result must not be dropped. */
  mustPropagate?: boolean;
}
export interface RecordType {
  kind: 'struct' | 'union';
  tag: string | undefined;
  members: Member[];
  complete: boolean;
  size: number;
  align: number;
  slots: number;
  alias?: string;
}

export type CType = VoidType | BoolType | IntType | EnumType | PointerType | ArrayType | FunctionType | RecordType;
export type IntegerType = BoolType | IntType | EnumType;

const integer = (name: string, width: 8 | 16 | 32 | 64, signed: boolean): IntType => ({
  kind: 'int',
  name,
  width,
  signed,
});

export const VOID: VoidType = { kind: 'void' };
export const BOOL: BoolType = { kind: 'bool' };
export const CHAR = integer('char', 8, true);
export const SCHAR = integer('signed char', 8, true);
export const UCHAR = integer('unsigned char', 8, false);
export const SHORT = integer('short', 16, true);
export const USHORT = integer('unsigned short', 16, false);
export const INT = integer('int', 32, true);
export const UINT = integer('unsigned int', 32, false);
export const LONG = integer('long', 64, true);
export const ULONG = integer('unsigned long', 64, false);
export const LLONG = integer('long long', 64, true);
export const ULLONG = integer('unsigned long long', 64, false);

/** A type may be derived this often (`int ****…`); more is refused by the parser. */
export const MAX_TYPE_DEPTH = 64;

const depthOf = (t: CType): number => ('depth' in t ? t.depth : 0);
export const tooDeep = (t: CType): boolean => depthOf(t) >= MAX_TYPE_DEPTH;

export function pointerTo(to: CType): PointerType {
  return { kind: 'pointer', to, depth: depthOf(to) + 1 };
}
export function arrayOf(of: CType, length: number): ArrayType {
  return { kind: 'array', of, length, depth: depthOf(of) + 1 };
}
export function functionType(
  returns: CType,
  parameters: Parameter[],
  variadic: boolean,
  unspecified: boolean,
): FunctionType {
  let depth = depthOf(returns);
  for (const p of parameters) depth = Math.max(depth, depthOf(p.type));
  return { kind: 'function', returns, parameters, variadic, unspecified, depth: depth + 1 };
}
export function recordType(kind: 'struct' | 'union', tag: string | undefined): RecordType {
  return { kind, tag, members: [], complete: false, size: 0, align: 1, slots: 0 };
}

export const VOID_POINTER = pointerTo(VOID);

export const isInteger = (t: CType): t is IntegerType => t.kind === 'int' || t.kind === 'bool' || t.kind === 'enum';
export const isScalar = (t: CType): boolean => isInteger(t) || t.kind === 'pointer';
export const isRecord = (t: CType): t is RecordType => t.kind === 'struct' || t.kind === 'union';
export const isAggregate = (t: CType): t is RecordType | ArrayType => isRecord(t) || t.kind === 'array';
/** `char *`, `u8 *`, `void *`: pointers that may point at anything. */
export const isBytePointer = (t: CType): boolean =>
  t.kind === 'pointer' && (t.to.kind === 'void' || (t.to.kind === 'int' && t.to.width === 8));

/** Bits of an integer's value; pointers count as 64. */
export function widthOf(t: CType): number {
  if (t.kind === 'int' || t.kind === 'enum') return t.width;
  return t.kind === 'bool' ? 1 : 64;
}
export const isSigned = (t: CType): boolean => (t.kind === 'int' || t.kind === 'enum') && t.signed;

/** The bytecode's integer kind. A pointer is held like a signed 64-bit number, so that ERR_PTR(-12) is -12. */
export function intKind(t: CType): IntKind {
  if (t.kind === 'bool') return IntKind.BOOL;
  if (t.kind === 'pointer') return IntKind.I64;
  const s = isSigned(t);
  switch (widthOf(t)) {
    case 8:
      return s ? IntKind.I8 : IntKind.U8;
    case 16:
      return s ? IntKind.I16 : IntKind.U16;
    case 32:
      return s ? IntKind.I32 : IntKind.U32;
    default:
      return s ? IntKind.I64 : IntKind.U64;
  }
}

/** Smallest and largest value of an integer type. */
export function rangeOf(t: CType): { low: bigint; high: bigint } {
  const w = BigInt(widthOf(t));
  if (isSigned(t) || t.kind === 'pointer') return { low: -(1n << (w - 1n)), high: (1n << (w - 1n)) - 1n };
  return { low: 0n, high: (1n << w) - 1n };
}

/** The value of an integer after conversion to `t` (C11 6.3.1.3; GCC wraps). */
export function wrap(value: bigint, t: CType): bigint {
  if (t.kind === 'bool') return value === 0n ? 0n : 1n;
  const w = widthOf(t);
  return isSigned(t) || t.kind === 'pointer' ? BigInt.asIntN(w, value) : BigInt.asUintN(w, value);
}

/** Integer promotion (C11 6.3.1.1). A bit-field narrower than int promotes to int whatever its declared type (GCC). */
export function promote(t: CType, bits?: number): CType {
  if (!isInteger(t)) return t;
  if (bits !== undefined) {
    if (bits < 32 || (bits === 32 && isSigned(t))) return INT;
    if (bits === 32) return UINT;
    return t.kind === 'enum' ? (t.signed ? LONG : ULONG) : t;
  }
  if (t.kind === 'bool') return INT;
  if (t.width < 32) return INT;
  if (t.kind === 'enum') return t.width === 32 ? (t.signed ? INT : UINT) : t.signed ? LONG : ULONG;
  return t.alias === undefined ? t : plain(t);
}

const PLAIN = new Map<string, IntType>(
  [CHAR, SCHAR, UCHAR, SHORT, USHORT, INT, UINT, LONG, ULONG, LLONG, ULLONG].map((t) => [t.name, t]),
);
const plain = (t: IntType): IntType => PLAIN.get(t.name) ?? t;

/** Usual arithmetic conversions on two promoted integer types (C11 6.3.1.8). */
export function commonType(a: CType, b: CType): CType {
  const wa = widthOf(a);
  const wb = widthOf(b);
  if (wa !== wb) return wa > wb ? a : b;
  // Equal width: unsigned wins; of two with equal signedness the higher rank (long long over long) is of no consequence but kept.
  const unsigned = !isSigned(a) || !isSigned(b);
  const longLong =
    a.kind === 'int' && b.kind === 'int' && (a.name.includes('long long') || b.name.includes('long long'));
  if (wa === 32) return unsigned ? UINT : INT;
  if (longLong) return unsigned ? ULLONG : LLONG;
  return unsigned ? ULONG : LONG;
}

/** Copy of a scalar type that remembers the typedef it was declared by. Records are shared, not copied: they may be completed later. */
export function withAlias(t: CType, alias: string): CType {
  return isRecord(t) ? t : { ...t, alias };
}

/** Are the types the same (C11 6.2.7), with records of one tag compared by their layout so that units may share them? */
export function sameType(a: CType, b: CType): boolean {
  if (a === b) return true;
  if (isRecord(a) && isRecord(b)) return sameRecord(a, b);
  switch (a.kind) {
    case 'void':
    case 'bool':
      return b.kind === a.kind;
    case 'int':
      return b.kind === 'int' && a.name === b.name;
    case 'enum':
      return b.kind === 'enum' && a.tag !== undefined && a.tag === b.tag;
    case 'pointer':
      return b.kind === 'pointer' && sameType(a.to, b.to);
    case 'array':
      return b.kind === 'array' && (a.length === b.length || a.length < 0 || b.length < 0) && sameType(a.of, b.of);
    case 'function': {
      if (b.kind !== 'function' || !sameType(a.returns, b.returns)) return false;
      if (a.unspecified || b.unspecified) return true;
      if (a.variadic !== b.variadic || a.parameters.length !== b.parameters.length) return false;
      return a.parameters.every((p, i) => sameType(p.type, b.parameters[i].type));
    }
    default:
      return false;
  }
}

function sameRecord(a: RecordType, b: RecordType): boolean {
  if (a.kind !== b.kind || a.tag === undefined || a.tag !== b.tag) return false;
  if (!a.complete || !b.complete) return true;
  if (a.slots !== b.slots || a.members.length !== b.members.length) return false;
  return a.members.every((m, i) => m.name === b.members[i].name && m.slot === b.members[i].slot);
}

/** May memory of type `a` be read through a pointer to `b`? Equal slots, each holding the same width. */
export function layoutCompatible(a: CType, b: CType): boolean {
  if (a.kind === 'void' || b.kind === 'void' || a.kind === 'function' || b.kind === 'function') return true;
  if (isInteger(a) && isInteger(b)) return widthOf(a) === widthOf(b);
  if (a.kind === 'pointer' && b.kind === 'pointer') return true;
  if (a.kind === 'array' && b.kind === 'array') return layoutCompatible(a.of, b.of);
  if (a.kind === 'array') return layoutCompatible(a.of, b);
  if (b.kind === 'array') return layoutCompatible(a, b.of);
  if (isRecord(a) && isRecord(b)) return startsWith(a, b) || startsWith(b, a);
  // A pointer to a record may be read as a pointer to its first member, and back.
  if (isRecord(a)) return a.complete && a.members.length > 0 && layoutCompatible(a.members[0].type, b);
  if (isRecord(b)) return b.complete && b.members.length > 0 && layoutCompatible(a, b.members[0].type);
  return (widthOf(a) === 64 && b.kind === 'pointer') || (widthOf(b) === 64 && a.kind === 'pointer');
}

/** Is `b` the same record as `a`, or does `a` begin with a `b`? */
function startsWith(a: RecordType, b: RecordType): boolean {
  for (let t: CType = a, n = 0; n < MAX_TYPE_DEPTH && isRecord(t); n++) {
    if (t === b || sameRecord(t, b)) return true;
    if (!t.complete || t.members.length === 0) return false;
    t = t.members[0].type;
  }
  return false;
}

/** The type as C writes it; `inner` is the declarator's core. */
export function renderType(t: CType, inner = ''): string {
  const space = inner === '' ? '' : ' ';
  if (t.alias !== undefined) return t.alias + space + inner;
  switch (t.kind) {
    case 'void':
      return `void${space}${inner}`;
    case 'bool':
      return `bool${space}${inner}`;
    case 'int':
      return t.name + space + inner;
    case 'enum':
    case 'struct':
    case 'union':
      return `${t.kind} ${t.tag ?? '{…}'}${space}${inner}`;
    case 'pointer': {
      const wrapped = (t.to.kind === 'array' || t.to.kind === 'function') && t.to.alias === undefined;
      return renderType(t.to, wrapped ? `(*${inner})` : `*${inner}`);
    }
    case 'array':
      return renderType(t.of, `${inner}[${t.length < 0 ? '' : t.length}]`);
    case 'function': {
      const parameters = t.parameters.map((p) => renderType(p.type));
      if (t.variadic) parameters.push('...');
      return renderType(t.returns, `${inner}(${parameters.join(', ') || (t.unspecified ? '' : 'void')})`);
    }
  }
}
