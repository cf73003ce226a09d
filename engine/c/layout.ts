/**
 * Where things lie. Every type has two measures: bytes, as the System V ABI for x86-64 lays it out (`sizeof`, `_Alignof`, `offsetof`), and
 * slots, as the virtual machine stores it (see engine/vm/bytecode.ts): a scalar is one slot, a bit-field storage unit is one slot, the members
 * of a union overlay each other from the same slot.
 */
import { OBJECT_SLOTS } from '../vm/bytecode.ts';
import { type CType, isRecord, type Member, type RecordType } from './types.ts';

/** Bytes of an object of this type; 1 for void and functions as in GCC; 0 when unknown. */
export function sizeOf(t: CType): number {
  switch (t.kind) {
    case 'void':
    case 'bool':
    case 'function':
      return 1;
    case 'int':
    case 'enum':
      return t.width / 8;
    case 'pointer':
      return 8;
    case 'array':
      return t.length < 0 ? 0 : t.length * sizeOf(t.of);
    default:
      return t.size;
  }
}

/** Bytes to which an object of this type is aligned. */
export function alignOf(t: CType): number {
  if (t.kind === 'array') return alignOf(t.of);
  return isRecord(t) ? t.align : sizeOf(t);
}

/** Slots of an object of this type. */
export function slotsOf(t: CType): number {
  if (t.kind === 'array') return t.length < 0 ? 0 : t.length * slotsOf(t.of);
  return isRecord(t) ? t.slots : 1;
}

/** Is the type complete, so that an object of it can exist? */
export function isComplete(t: CType): boolean {
  if (t.kind === 'array') return t.length >= 0 && isComplete(t.of);
  if (isRecord(t) || t.kind === 'enum') return t.complete;
  return t.kind !== 'void' && t.kind !== 'function';
}

/** Does an object of this type fit into the machine's largest object? */
export const fits = (t: CType): boolean => slotsOf(t) <= OBJECT_SLOTS && sizeOf(t) <= Number.MAX_SAFE_INTEGER;

/** A member as declared, before it has a place. */
export interface FieldDeclaration {
  name: string;
  type: CType;
  /** Width of a bit-field; 0 closes the storage unit. */
  bits?: number;
  /** From `__attribute__((aligned(n)))`. */
  align?: number;
  packed?: boolean;
  mustPropagate?: boolean;
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Places the members and completes the record. Source: System V ABI, AMD64 supplement, 3.1.2 "Aggregates and Unions" and "Bit-Fields". */
export function completeRecord(
  record: RecordType,
  fields: FieldDeclaration[],
  packed: boolean,
  minimumAlign: number,
): void {
  const members: Member[] = [];
  let bit = 0; // next free bit from the start of the struct
  let slot = 0;
  let align = 1;
  let size = 0; // of a union
  let slots = 0; // of a union
  // The storage unit that bit-fields are being put into, in bits from the start of the struct; and where their run began.
  let unit: { start: number; end: number; slot: number } | undefined;
  let runStart = 0;
  const isUnion = record.kind === 'union';

  for (const field of fields) {
    const bytes = sizeOf(field.type);
    const natural = packed || field.packed ? 1 : alignOf(field.type);
    const fieldAlign = Math.max(natural, field.align ?? 1);
    if (isUnion) {
      bit = 0;
      slot = 0;
      unit = undefined;
      runStart = 0;
    }
    if (field.bits === undefined) {
      bit = roundUp(bit, fieldAlign * 8);
      const member: Member = { name: field.name, type: field.type, slot, offset: bit / 8 };
      if (field.mustPropagate) member.mustPropagate = true;
      members.push(member);
      bit += bytes * 8;
      slot += slotsOf(field.type);
      align = Math.max(align, fieldAlign);
      unit = undefined;
      runStart = bit;
    } else {
      const unitBits = bytes * 8;
      if (field.bits === 0) {
        // An unnamed field of width 0 ends the unit and does not align the struct.
        bit = roundUp(bit, unitBits);
        unit = undefined;
        runStart = bit;
        continue;
      }
      if (field.align !== undefined) bit = roundUp(bit, field.align * 8);
      // Not packed: the field must lie within one aligned unit of its declared type.
      if (!packed && !field.packed && Math.floor(bit / unitBits) !== Math.floor((bit + field.bits - 1) / unitBits))
        bit = roundUp(bit, unitBits);
      const end = bit + field.bits;
      const windowStart = Math.max(Math.floor(bit / unitBits) * unitBits, runStart);
      if (
        unit !== undefined &&
        windowStart < unit.end &&
        Math.max(unit.end, windowStart + unitBits) - unit.start <= 64 &&
        end - unit.start <= 64
      ) {
        unit.end = Math.max(unit.end, end, windowStart + unitBits);
      } else if (unit === undefined || end > unit.end) {
        const start = unit === undefined ? windowStart : Math.max(windowStart, bit);
        unit = { start, end: Math.max(end, Math.min(windowStart + unitBits, start + 64)), slot: slot++ };
      }
      if (field.name !== '') {
        members.push({
          name: field.name,
          type: field.type,
          slot: unit.slot,
          offset: Math.floor(unit.start / 8),
          bits: { offset: bit - unit.start, width: field.bits },
        });
        // Only named fields align the struct.
        align = Math.max(align, fieldAlign);
      }
      bit = end;
    }
    if (isUnion) {
      size = Math.max(size, Math.ceil(bit / 8));
      slots = Math.max(slots, slot);
    }
  }
  align = Math.max(align, minimumAlign);
  record.members = members;
  record.align = align;
  record.size = roundUp(isUnion ? size : Math.ceil(bit / 8), align);
  record.slots = isUnion ? slots : slot;
  record.complete = true;
}

/** A member found by name, through anonymous structs and unions, with its place from the start of the outer record. */
export interface FoundMember {
  member: Member;
  slot: number;
  offset: number;
  /** It overlays members of another type: a value read from it may have been written as something else. */
  overlaid: boolean;
}

export function findMember(record: RecordType, name: string, depth = 0): FoundMember | undefined {
  for (const member of record.members) {
    const overlaid = record.kind === 'union';
    if (member.name === name) return { member, slot: member.slot, offset: member.offset, overlaid };
    if (member.name === '' && isRecord(member.type) && depth < 32) {
      const inner = findMember(member.type, name, depth + 1);
      if (inner !== undefined) {
        return {
          member: inner.member,
          slot: member.slot + inner.slot,
          offset: member.offset + inner.offset,
          overlaid: overlaid || inner.overlaid,
        };
      }
    }
  }
  return undefined;
}
