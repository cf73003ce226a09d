/**
 * The units of the simulator as branded numbers: mixing a frame number with an address does not compile.
 *
 * A brand costs nothing at run time: a `Pfn` is a plain number. Addresses are 52 bits wide at most (APM vol. 2, 5.1), so a
 * JavaScript number holds every one of them exactly.
 */

declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]: Name };

/** System physical frame number: SPA >> 12. */
export type Pfn = Branded<'Pfn'>;
/** Guest frame number: GPA >> 12. */
export type Gfn = Branded<'Gfn'>;
/** Guest physical address in bytes. */
export type Gpa = Branded<'Gpa'>;
/** System physical address in bytes. */
export type Spa = Branded<'Spa'>;
/** Address space identifier of a guest; 0 is the host. */
export type Asid = Branded<'Asid'>;
/** Virtual machine privilege level, 0 (most privileged) to 3. */
export type Vmpl = Branded<'Vmpl'>;

export const asPfn = (n: number): Pfn => n as Pfn;
export const asGfn = (n: number): Gfn => n as Gfn;
export const asGpa = (n: number): Gpa => n as Gpa;
export const asSpa = (n: number): Spa => n as Spa;
export const asAsid = (n: number): Asid => n as Asid;
export const asVmpl = (n: number): Vmpl => n as Vmpl;

/** Bytes of a 4K page. */
export const PAGE_SIZE = 0x1000;
/** 4K pages in a 2M page. */
export const PAGES_PER_2M = 512;
/** 4K pages in a 1G page. */
export const PAGES_PER_1G = 512 * 512;

// Multiplication instead of shifts: JavaScript shifts are 32 bits wide, addresses are not.
export const pfnToSpa = (pfn: Pfn): Spa => (pfn * PAGE_SIZE) as Spa;
export const spaToPfn = (spa: Spa): Pfn => Math.floor(spa / PAGE_SIZE) as Pfn;
export const gfnToGpa = (gfn: Gfn): Gpa => (gfn * PAGE_SIZE) as Gpa;
export const gpaToGfn = (gpa: Gpa): Gfn => Math.floor(gpa / PAGE_SIZE) as Gfn;

/** The kernel's page-table levels, PG_LEVEL_* (arch/x86/include/asm/pgtable_types.h). */
export const PG_LEVEL_4K = 1;
export const PG_LEVEL_2M = 2;
export const PG_LEVEL_1G = 3;
export type PgLevel = 1 | 2 | 3;

/** 4K pages that a mapping of this level covers. */
export const pagesPerLevel = (level: PgLevel): number => (level === 1 ? 1 : level === 2 ? PAGES_PER_2M : PAGES_PER_1G);
