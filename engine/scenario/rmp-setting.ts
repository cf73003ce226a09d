/**
 * Where a host's RMP lies and what it covers: `rmp 2G`, `rmp 1M..17M`, or `rmp 1M segments 4G` with a `segment 16M maps 0..4G` for each stretch of
 * memory (APM vol. 2, 15.36.4 and 15.36.22), and `fixed 16M..17M` for what SNP_INIT made HV-Fixed. Lines are gathered while the block is read and
 * judged at its end, because the memory may be said below.
 */
import * as t from '../generated/scenario-parser-terms.ts';
import { GIB, geometryProblem, type RmpSegment, RST_ENTRIES } from '../hardware/rmp-geometry.ts';
import { type Context, quoted } from './context.ts';
import { PAGE, type RangeValue } from './numbers.ts';
import type { HostConfig } from './program.ts';
import { formatQuantity } from './quantity.ts';
import { integer, type SettingSpec, settled } from './setting-values.ts';
import type { SyntaxNode } from './syntax.ts';

export const RMP_SETTINGS: readonly SettingSpec[] = [
  {
    name: 'rmp',
    written: 'rmp 2G, rmp 1M..17M, rmp 1M segments 4G',
    doc: 'Memory that the RMP covers, from address 0 on; or where the RMP lies (RMP_BASE..RMP_END + 1), which says what it covers and makes its own pages the firmware’s; or, of a segmented RMP, RMP_BASE and the memory that one entry of the segment table stands for (RMP_CFG). Default: it covers all, and lies outside of the memory that is modelled. Linux leaves SNP off unless all memory is covered; here it stays on, so that uncovered memory can be looked at.',
  },
  {
    name: 'segment',
    written: 'segment 16M maps 0..4G',
    doc: 'One segment of a segmented RMP: where its entries begin, and the memory that they are for, from the start of a stretch on and in whole gigabytes. Memory that no segment maps is not covered. One line for each.',
  },
  {
    name: 'fixed',
    written: 'fixed 16M..17M',
    doc: 'Bytes, in whole pages, that SNP_INIT made HV-Fixed. Can be given more than once.',
  },
];

/** The largest stretch that makes sense: all the memory that a host can have. */
const MAX_STRETCH = 2 ** 46;

/** `rmp` and `segment` lines of a host whose memory is not known yet. */
export interface RmpLines {
  rmp?: SyntaxNode;
  segments: SyntaxNode[];
}

/** `rmp …`: a size is settled at once, a place when the block has ended. Whether the line is a place. */
export function isPlace(ctx: Context, line: SyntaxNode): boolean {
  const [, first, word] = line.children;
  if (first?.type === t.Range || first?.type === t.LengthRange) return line.children.length === 2;
  return word !== undefined && ctx.source(word) === 'segments';
}

/** Judge the lines. What is wrong is said, and the host then has no RMP of its own in memory. */
export function placeRmp(ctx: Context, { rmp, segments }: RmpLines, host: HostConfig): void {
  const isSegmented = rmp !== undefined && rmp.children.length > 2;
  if (!isSegmented) {
    for (const line of segments)
      ctx.problem(
        'VALUE',
        line,
        'A `segment` belongs to a segmented RMP: `rmp 1M segments 4G` says where its table is.',
      );
    if (rmp !== undefined) contiguous(ctx, rmp.children[1], host);
    return;
  }
  segmented(ctx, rmp, segments, host);
}

function contiguous(ctx: Context, node: SyntaxNode, host: HostConfig): void {
  const range = settled(ctx, node, 'int-range', 'The place of the RMP') as RangeValue | undefined;
  if (range === undefined) return;
  const rmp = { kind: 'contiguous', base: range.start, end: range.end - 1 } as const;
  const problem = geometryProblem(rmp, { memoryBytes: host.memoryBytes });
  if (problem === undefined) host.rmp = rmp;
  else ctx.problem('VALUE', node, `The RMP cannot lie here: ${problem}.`);
}

function segmented(ctx: Context, line: SyntaxNode, lines: readonly SyntaxNode[], host: HostConfig): void {
  const [, baseNode, , stretchNode, surplus] = line.children;
  if (stretchNode === undefined || surplus !== undefined) {
    ctx.problem('ARGUMENT', line, 'A segmented RMP has its base and the size of a stretch: `rmp 1M segments 4G`.');
    return;
  }
  const base = integer(ctx, baseNode, 'RMP_BASE', 0, MAX_STRETCH, 'size');
  const stretch = integer(ctx, stretchNode, 'The memory of one segment', GIB, MAX_STRETCH, 'size');
  if (base === undefined || stretch === undefined) return;
  const segmentShift = Math.log2(stretch);
  if (!Number.isInteger(segmentShift)) {
    const given = formatQuantity(stretch);
    ctx.problem('VALUE', stretchNode, `The memory of one segment is a power of two (RMP_CFG), and this is ${given}.`);
    return;
  }
  if (lines.length === 0) {
    ctx.problem('VALUE', line, 'This RMP has no segment and covers nothing: `segment 16M maps 0..4G` adds one.');
    return;
  }
  // All of them, so that each line's problem is told.
  const found = lines.map((node) => segment(ctx, node, stretch));
  const segments: RmpSegment[] = [];
  const lineOf = new Map<number, SyntaxNode>();
  for (const [i, one] of found.entries()) {
    if (one === undefined) return;
    const before = lineOf.get(one.index);
    if (before !== undefined) {
      const first = formatQuantity(one.index * stretch);
      const related = [{ message: 'mapped here', span: ctx.span(before) }];
      ctx.problem('DUPLICATE', lines[i], `The memory from ${first} on has a segment already.`, [], related);
      return;
    }
    lineOf.set(one.index, lines[i]);
    segments[one.index] = { base: one.base, mappedGib: one.mappedGib };
  }
  for (let i = 0; i < segments.length; i++) segments[i] ??= { base: 0, mappedGib: 0 };
  const rmp = { kind: 'segmented', base, segmentShift, segments } as const;
  const problem = geometryProblem(rmp, { memoryBytes: host.memoryBytes });
  if (problem === undefined) host.rmp = rmp;
  else ctx.problem('VALUE', line, `The RMP cannot lie like this: ${problem}.`);
}

function segment(ctx: Context, line: SyntaxNode, stretch: number): (RmpSegment & { index: number }) | undefined {
  const [, baseNode, word, memoryNode, surplus] = line.children;
  if (memoryNode === undefined || surplus !== undefined || ctx.source(word) !== 'maps')
    return ctx.problem(
      'ARGUMENT',
      line,
      'A segment has an address and the memory that it maps: `segment 16M maps 0..4G`.',
    );
  const base = integer(ctx, baseNode, 'The address of a segment', 0, MAX_STRETCH, 'size');
  const memory = settled(ctx, memoryNode, 'int-range', 'The memory of a segment') as RangeValue | undefined;
  if (base === undefined || memory === undefined) return undefined;
  const wrong = (what: string) =>
    ctx.problem('VALUE', memoryNode, `A segment ${what}, and this is ${quoted(ctx, memoryNode)}.`);
  const size = formatQuantity(stretch);
  if (memory.start % stretch !== 0) return wrong(`maps memory from a multiple of ${size} on`);
  const bytes = memory.end - memory.start;
  if (bytes <= 0 || bytes % GIB !== 0) return wrong('maps whole gigabytes, at least one');
  if (bytes > stretch) return wrong(`maps ${size} at most, which is what one entry of the segment table stands for`);
  const index = memory.start / stretch;
  if (index >= RST_ENTRIES)
    return wrong(
      `maps memory below ${formatQuantity(RST_ENTRIES * stretch)}, which is as far as the table's 512 entries reach`,
    );
  return { index, base, mappedGib: bytes / GIB };
}

/** `fixed 16M..17M`. */
export function fixedPages(ctx: Context, node: SyntaxNode, host: HostConfig): void {
  const range = settled(ctx, node, 'int-range', 'HV-Fixed memory') as RangeValue | undefined;
  if (range === undefined) return;
  if (range.start % PAGE !== 0 || range.end % PAGE !== 0 || range.start >= range.end)
    ctx.problem('VALUE', node, 'HV-Fixed memory has whole pages, at least one: its bounds are multiples of 4K.');
  else host.fixed = [...(host.fixed ?? []), { start: range.start / PAGE, end: range.end / PAGE }];
}
