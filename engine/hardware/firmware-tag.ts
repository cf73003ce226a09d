/**
 * FIRMWARE, FIRMWARE_IOMMU and METADATA pages differ in nothing but the GPA field, where the firmware keeps a tag in the upper bits that no GPA
 * reaches: bits 38:36 of the field (the Genoa firmware's sev_rmp.h, RMP_GPA_STATE). Here as parts of word 1, whose bits 18:0 are the field's 38:20.
 */
import { GFN_HIGH_MASK } from './rmp-entry.ts';
import { gfnWord0, gfnWord1 } from './rmp-table.ts';

const TAG_FACTOR = 2 ** 36;
const TAG_MASK = 7 << 16;

export const Tag = { Firmware: 0, Metadata: 1, Iommu: 2 } as const;
export type Tag = (typeof Tag)[keyof typeof Tag];

/** The GPA parts of words 0 and 1: a frame number with a tag. */
export function taggedWords(frame: number, tag: Tag): [number, number] {
  const field = frame + tag * TAG_FACTOR;
  return [gfnWord0(field), gfnWord1(field)];
}

/** Word 1 without the tag. */
export const withoutTag = (w1: number): number => w1 & ~(TAG_MASK & GFN_HIGH_MASK);

/** The frame number without the tag: for a METADATA page, its guest's context page. */
export const frameOfField = (field: number): number => field % TAG_FACTOR;
