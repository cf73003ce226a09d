/** The types that an expression of C may cast to: integers, by their names in C and in the kernel. */
import {
  BOOL,
  CHAR,
  type CType,
  INT,
  LLONG,
  LONG,
  SCHAR,
  SHORT,
  UCHAR,
  UINT,
  ULLONG,
  ULONG,
  USHORT,
  withAlias,
} from '../c/types.ts';

const NAMED: Readonly<Record<string, CType>> = {
  bool: BOOL,
  _Bool: BOOL,
  char: CHAR,
  'signed char': SCHAR,
  'unsigned char': UCHAR,
  short: SHORT,
  'unsigned short': USHORT,
  int: INT,
  signed: INT,
  unsigned: UINT,
  'unsigned int': UINT,
  long: LONG,
  'unsigned long': ULONG,
  'long long': LLONG,
  'unsigned long long': ULLONG,
};

const ALIASES: readonly (readonly [CType, readonly string[]])[] = [
  [SCHAR, ['s8', '__s8', 'int8_t']],
  [UCHAR, ['u8', '__u8', 'uint8_t']],
  [SHORT, ['s16', '__s16', 'int16_t']],
  [USHORT, ['u16', '__u16', 'uint16_t']],
  [INT, ['s32', '__s32', 'int32_t']],
  [UINT, ['u32', '__u32', 'uint32_t']],
  [LLONG, ['s64', '__s64', 'int64_t', 'loff_t']],
  [ULLONG, ['u64', '__u64', 'uint64_t', 'gfn_t', 'gpa_t', 'hpa_t', 'hfn_t', 'kvm_pfn_t', 'phys_addr_t']],
  [ULONG, ['size_t', 'pgoff_t', 'gva_t', 'hva_t']],
  [LONG, ['ssize_t']],
];

const TYPES = new Map<string, CType>([
  ...Object.entries(NAMED),
  ...ALIASES.flatMap(([type, names]) => names.map((name): [string, CType] => [name, withAlias(type, name)])),
]);

/** The type that these words name, as they stand between the parentheses of a cast; undefined if they name none. */
export const castType = (words: readonly string[]): CType | undefined => TYPES.get(words.join(' '));
