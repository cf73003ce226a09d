/**
 * A second model of the RMP, slow and plain: one object for each page, BigInt for addresses, checks written out in the order of the text.
 * It shares nothing with engine/hardware, not even constants, and knows the default options and two features of processors: VMPL supervisor shadow
 * stacks, and a TLB that forgets only when told. What both agree on over a million random operations is at least not a slip of one of them.
 *
 * Sources: APM vol. 2, 15.36 (tables 15-34 to 15-40); return codes of the rmpupdate, psmash, pvalidate, rmpadjust and rmpquery intrinsics;
 * subpage count and tail entries as in the Genoa SEV firmware's sev_rmp.c.
 */

export interface OracleEntry {
  assigned: boolean;
  large: boolean;
  immutable: boolean;
  count: number;
  /** Page number bound to the entry. */
  gfn: bigint;
  asid: number;
  vmsa: boolean;
  validated: boolean;
  locked: boolean;
  masks: [number, number, number, number];
}

/** Where memory has entries, what the RMP itself lies in, and what the processor has. All frames half-open. */
export interface OracleHost {
  covered: [start: number, end: number][];
  own: [start: number, end: number][];
  fixed: [start: number, end: number][];
  memoryPages: number;
  shadowStacks: boolean;
  tlb: boolean;
}

/** A translation that a vCPU remembers, with the kinds of access that were checked. */
export interface OracleTranslation {
  asid: number;
  vcpu: number;
  isPrivate: boolean;
  vmpl: number;
  user: boolean;
  gfn: number;
  pfn: number;
  pages: number;
  kinds: Set<string>;
}

export type OracleKind = 'read' | 'write' | 'fetch' | 'walk' | 'walk-write' | 'shadow' | 'shadow-write';

export interface OracleMapping {
  pfn: number;
  level: 1 | 2 | 3;
  writable: boolean;
}

/** A guest instruction or access: a code (with CF), or a fault with the names of its bits. */
export type OracleOutcome = { code: number; carry: boolean } | { fault: string; bits: string[] };

export const hypervisorEntry = (): OracleEntry => ({
  assigned: false,
  large: false,
  immutable: false,
  count: 0,
  gfn: 0n,
  asid: 0,
  vmsa: false,
  validated: false,
  locked: false,
  masks: [0, 0, 0, 0],
});

export class SnpOracle {
  readonly host: OracleHost;
  entries = new Map<number, OracleEntry>();
  /** Pages of each ASID. */
  owned = new Map<number, number>();
  /** Nested page tables: ASID, then gfn of each 4K page. */
  nested = new Map<number, Map<number, OracleMapping>>();
  /** What all vCPUs remember. */
  translations: OracleTranslation[] = [];

  constructor(host: OracleHost) {
    this.host = host;
    for (const [start, end] of host.fixed)
      for (let pfn = start; pfn < end; pfn++) if (this.covers(pfn)) this.at(pfn).immutable = true;
    for (const [start, end] of host.own)
      for (let pfn = start; pfn < end; pfn++)
        if (this.covers(pfn)) {
          Object.assign(this.at(pfn), { assigned: true, immutable: true, locked: true });
          if (pfn % 512 !== 0) this.head(pfn).count++;
        }
  }

  covers(pfn: number): boolean {
    return within(this.host.covered, pfn);
  }

  at(pfn: number): OracleEntry {
    let entry = this.entries.get(pfn);
    if (entry === undefined) {
      entry = hypervisorEntry();
      this.entries.set(pfn, entry);
    }
    return entry;
  }

  head(pfn: number): OracleEntry {
    return this.at(pfn - (pfn % 512));
  }

  underLarge(pfn: number): boolean {
    const head = this.head(pfn);
    return head.assigned && head.large;
  }

  /** The raw entry, as the kernel's dumps show it. */
  raw(pfn: number): { low: bigint; high: bigint } {
    const e = this.at(pfn);
    const bit = (on: boolean, position: bigint) => (on ? 1n << position : 0n);
    return {
      low:
        bit(e.assigned, 0n) |
        bit(e.large, 1n) |
        bit(e.immutable, 2n) |
        (BigInt(e.count) << 3n) |
        (e.gfn << 12n) |
        (BigInt(e.asid) << 51n) |
        bit(e.vmsa, 61n) |
        bit(e.validated, 62n) |
        bit(e.locked, 63n),
      high: e.masks.reduce((sum, mask, vmpl) => sum | (BigInt(mask) << BigInt(8 * vmpl)), 0n),
    };
  }

  own(asid: number, pages: number): void {
    this.owned.set(asid, (this.owned.get(asid) ?? 0) + pages);
  }

  rmpupdate(
    spa: bigint,
    gpa: bigint,
    assigned: number,
    pagesize: number,
    immutable: number,
    asid: number,
    context = 0,
    reserved = 0,
  ): number {
    if (context !== 0) return 2;
    // Malformed requests.
    const size = pagesize % 2 === 1 ? 0x200000n : 0x1000n;
    if (!this.covers(Number(spa / 4096n))) return 1;
    if (spa % 4096n !== 0n) return 1;
    if (assigned > 1 || pagesize > 1 || immutable > 1 || reserved !== 0) return 1;
    if (spa % size !== 0n) return 1;
    if (assigned === 1 && (gpa % size !== 0n || gpa >= 1n << 51n)) return 1;
    if (asid >= 1024) return 1;
    if (assigned === 0 && (immutable === 1 || asid !== 0)) return 1;

    const pfn = Number(spa / 4096n);
    if (pagesize === 1 && !this.covers(pfn + 511)) return 1;
    const entry = this.at(pfn);
    const head = this.head(pfn);
    const isHead = pfn % 512 === 0;
    const tails = (): OracleEntry[] => Array.from({ length: 511 }, (_, i) => this.at(pfn + 1 + i));
    const wasLarge = head.assigned && head.large;
    // A 2M request over 4K entries that unassigns concerns the head alone.
    const changesTails = pagesize === 1 && (assigned === 1 ? !wasLarge : false);

    if (entry.locked) return 3;
    if (changesTails && tails().some((tail) => tail.locked)) return 3;
    if (entry.immutable) return 2;
    if (changesTails && tails().some((tail) => tail.immutable)) return 2;
    if (pagesize === 0 && !isHead && head.locked && entry.assigned !== (assigned === 1)) return 3;
    if (pagesize === 0 && wasLarge) return 4;
    if (pagesize === 1 && head.count !== 0) return 4;

    const old = { ...entry };
    const fresh = hypervisorEntry();
    if (assigned === 1) {
      fresh.assigned = true;
      fresh.large = pagesize === 1;
      fresh.immutable = immutable === 1;
      fresh.gfn = gpa / 4096n;
      fresh.asid = asid;
      fresh.masks = [this.host.shadowStacks ? 0x1f : 0x0f, 0, 0, 0];
      const repeats =
        old.assigned && old.large === fresh.large && old.gfn === fresh.gfn && old.asid === asid && asid !== 0;
      if (repeats) {
        fresh.validated = old.validated;
        fresh.vmsa = old.vmsa;
        fresh.masks = old.masks;
      }
    }
    // TLB entries for what is modified go, whoever has them.
    const pages = pagesize === 1 ? 512 : 1;
    this.forget((t) => overlap(t.pfn, t.pages, pfn, pages));
    if (asid !== 0) this.forget((t) => t.asid === asid && overlap(t.gfn, t.pages, Number(gpa / 4096n), pages));
    if (pagesize === 0) {
      if (isHead) fresh.count = old.count;
      this.entries.set(pfn, fresh);
      if (!isHead) head.count += (fresh.assigned ? 1 : 0) - (old.assigned ? 1 : 0);
      if (old.assigned) this.own(old.asid, -1);
      if (fresh.assigned) this.own(asid, 1);
      return 0;
    }
    if (old.assigned) this.own(old.asid, wasLarge ? -512 : -1);
    if (fresh.assigned) this.own(asid, 512);
    this.entries.set(pfn, fresh);
    if (fresh.assigned || wasLarge) {
      for (let i = 1; i < 512; i++) this.entries.set(pfn + i, { ...hypervisorEntry(), assigned: fresh.assigned });
    }
    return 0;
  }

  psmash(spa: bigint, context = 0): number {
    if (spa % 0x200000n !== 0n) return 1;
    const pfn = Number(spa / 4096n);
    if (!this.covers(pfn) || !this.covers(pfn + 511)) return 1;
    if (context !== 0) return 2;
    const head = this.at(pfn);
    if (head.immutable) return 2;
    if (head.locked) return 3;
    if (!head.assigned || !head.large) return 7;
    for (let i = 511; i >= 0; i--) {
      this.entries.set(pfn + i, {
        ...head,
        masks: [...head.masks],
        large: false,
        gfn: head.gfn + BigInt(i),
        count: i === 0 ? 511 : 0,
      });
    }
    return 0;
  }

  map(asid: number, gfn: number, mapping: OracleMapping): void {
    const pages = mapping.level === 1 ? 1 : mapping.level === 2 ? 512 : 262144;
    const first = gfn - (gfn % pages);
    const table = this.table(asid);
    for (const [page, present] of [...table]) {
      const span = present.level === 1 ? 1 : present.level === 2 ? 512 : 262144;
      if (page < first + pages && page + span > first) table.delete(page);
    }
    table.set(first, mapping);
  }

  zap(asid: number, start: number, end: number): void {
    const table = this.table(asid);
    for (const [page, present] of [...table]) {
      const span = present.level === 1 ? 1 : present.level === 2 ? 512 : 262144;
      if (page < end && page + span > start) table.delete(page);
    }
  }

  private table(asid: number): Map<number, OracleMapping> {
    let table = this.nested.get(asid);
    if (table === undefined) {
      table = new Map();
      this.nested.set(asid, table);
    }
    return table;
  }

  private translate(asid: number, gfn: number): { pfn: number; mapping: OracleMapping } | undefined {
    for (const span of [1, 512, 262144]) {
      const first = gfn - (gfn % span);
      const mapping = this.table(asid).get(first);
      const wanted = span === 1 ? 1 : span === 512 ? 2 : 3;
      if (mapping !== undefined && mapping.level === wanted) return { pfn: mapping.pfn + (gfn - first), mapping };
    }
    return undefined;
  }

  /** The entry that speaks for a page, or undefined if the guest may not use the page at all. */
  private bound(asid: number, pfn: number, gfn: number): OracleEntry | undefined {
    if (!this.covers(pfn)) return undefined;
    const large = this.underLarge(pfn);
    const entry = large ? this.head(pfn) : this.at(pfn);
    const offset = large ? BigInt(pfn % 512) : 0n;
    if (!entry.assigned || entry.asid !== asid || entry.gfn + offset !== BigInt(gfn) || entry.immutable)
      return undefined;
    return entry;
  }

  pvalidate(asid: number, gpa: bigint, pagesize: number, validate: number, vmpl: number, vcpu: number): OracleOutcome {
    const outcome = this.executePvalidate(asid, gpa, pagesize, validate, vmpl);
    if ('code' in outcome && outcome.code === 0) this.forgetFrames(asid, vcpu, gpa, pagesize);
    return outcome;
  }

  /** The vCPU that has changed its own pages does not use what it remembered of them. */
  private forgetFrames(asid: number, vcpu: number, gpa: bigint, pagesize: number): void {
    const gfn = Number(gpa / 4096n);
    this.forget((t) => t.asid === asid && t.vcpu === vcpu && overlap(t.gfn, t.pages, gfn, pagesize === 1 ? 512 : 1));
  }

  forget(gone: (translation: OracleTranslation) => boolean): void {
    this.translations = this.translations.filter((translation) => !gone(translation));
  }

  private executePvalidate(asid: number, gpa: bigint, pagesize: number, validate: number, vmpl: number): OracleOutcome {
    if (vmpl !== 0) return { fault: 'GP', bits: [] };
    if (pagesize > 1 || validate > 1) return { code: 1, carry: false };
    if (gpa % (pagesize === 1 ? 0x200000n : 0x1000n) !== 0n) return { code: 1, carry: false };
    const gfn = Number(gpa / 4096n);
    const found = this.translate(asid, gfn);
    if (found === undefined) return { fault: 'NPF', bits: ['ENC'] };
    const entry = this.bound(asid, found.pfn, gfn);
    if (entry === undefined) return { fault: 'NPF', bits: ['RMP', 'ENC'] };
    const nptLarge = found.mapping.level > 1;
    if (pagesize === 0 && (entry.large || nptLarge)) return { fault: 'NPF', bits: ['RMP', 'ENC', 'SIZEM'] };
    if (entry.locked) return { code: 3, carry: false };
    if (pagesize === 1 && (!entry.large || !nptLarge)) return { code: 6, carry: false };
    if (entry.validated === (validate === 1)) return { code: 0, carry: true };
    entry.validated = validate === 1;
    return { code: 0, carry: false };
  }

  rmpadjust(
    asid: number,
    gpa: bigint,
    pagesize: number,
    target: number,
    mask: number,
    vmsa: boolean,
    vmpl: number,
    vcpu: number,
  ): OracleOutcome {
    const code = (n: number): OracleOutcome => ({ code: n, carry: false });
    if (pagesize > 1 || target > 3 || mask >= 0x20) return code(1);
    if (gpa % (pagesize === 1 ? 0x200000n : 0x1000n) !== 0n) return code(1);
    if (vmpl >= target) return code(2);
    const gfn = Number(gpa / 4096n);
    const found = this.translate(asid, gfn);
    if (found === undefined) return { fault: 'NPF', bits: ['ENC'] };
    const entry = this.bound(asid, found.pfn, gfn);
    if (entry === undefined) return { fault: 'NPF', bits: ['RMP', 'ENC'] };
    const bothLarge = entry.large && found.mapping.level > 1;
    const bothSmall = !entry.large && found.mapping.level === 1;
    if (pagesize === 0 && !bothSmall) return { fault: 'NPF', bits: ['RMP', 'ENC', 'SIZEM'] };
    if (entry.locked) return code(3);
    if (!entry.validated) return { fault: 'VC', bits: [] };
    if (pagesize === 1 && !bothLarge) return code(6);
    for (const bit of [1, 2, 4, 8, 16]) if ((mask & bit) !== 0 && (entry.masks[vmpl] & bit) === 0) return code(2);
    entry.masks[target] = mask;
    if (vmpl === 0) entry.vmsa = vmsa;
    this.forgetFrames(asid, vcpu, gpa, pagesize);
    return code(0);
  }

  /** RMPQUERY: what it answers, or how it fails. */
  rmpquery(
    asid: number,
    gpa: bigint,
    target: number,
    vmpl: number,
  ): OracleOutcome | { mask: number; vmsa: boolean; pagesize: number } {
    if (target <= vmpl || target > 3) return { code: 2, carry: false };
    const gfn = Number(gpa / 4096n);
    const found = this.translate(asid, gfn);
    if (found === undefined) return { fault: 'NPF', bits: ['ENC'] };
    const entry = this.bound(asid, found.pfn, gfn);
    if (entry === undefined || entry.large !== found.mapping.level > 1) return { fault: 'NPF', bits: ['RMP', 'ENC'] };
    if (!entry.validated) return { fault: 'VC', bits: [] };
    return { mask: entry.masks[target], vmsa: entry.vmsa, pagesize: entry.large ? 1 : 0 };
  }

  /** RMPREAD: the 16 bytes that it stores, or its code. */
  rmpread(pfn: number, context: number): number | { low: bigint; high: bigint } {
    if (context !== 0) return 2;
    if (!this.covers(pfn)) return 1;
    const entry = this.at(pfn);
    let region = false;
    if (pfn % 512 === 0) for (let i = 1; i < 512; i++) region ||= this.covers(pfn + i) && this.at(pfn + i).assigned;
    let high = BigInt(entry.asid) << 32n;
    if (entry.assigned) high |= 1n;
    if (entry.large) high |= 0x100n;
    if (region) high |= 0x200n;
    if (entry.immutable) high |= 0x10000n;
    return { low: entry.gfn * 4096n, high };
  }

  /** VMRUN with these pages. `ok`, or the name of what it comes to. */
  vmrun(asid: number, vmcb: number, vmsa: number, avic: number): string {
    const free = (pfn: number): boolean => !this.covers(pfn) || !(this.at(pfn).assigned || this.at(pfn).locked);
    if (!free(vmcb)) return 'GP';
    if (!free(avic)) return 'VMEXIT_INVALID';
    if (!this.covers(vmsa) || this.underLarge(vmsa)) return 'VMEXIT_INVALID';
    const entry = this.at(vmsa);
    if (!entry.assigned || entry.asid !== asid || entry.immutable || !entry.vmsa || entry.locked)
      return 'VMEXIT_INVALID';
    for (const pfn of [vmcb, vmsa, avic]) if (this.covers(pfn)) this.at(pfn).locked = true;
    return 'ok';
  }

  vmexit(...pages: number[]): void {
    for (const pfn of pages) if (this.covers(pfn)) this.at(pfn).locked = false;
  }

  private writableByHost(pfn: number, level: number): boolean {
    const owned = (page: number) => !this.covers(page) || !this.at(page).assigned;
    if (this.covers(pfn) && this.at(pfn).locked) return false;
    if (level === 1) return owned(pfn);
    const first = pfn - (pfn % 512);
    if (this.covers(first) && this.at(first).locked) return false;
    for (let i = 0; i < 512; i++) if (!owned(first + i)) return false;
    return true;
  }

  hostWrite(pfn: number, level: 1 | 2 | 3): OracleOutcome {
    return this.writableByHost(pfn, level) ? { code: 0, carry: false } : { fault: 'PF', bits: ['RMP'] };
  }

  /** DMA by a device: whether the IOMMU lets it through. */
  dma(pfn: number): boolean {
    return !this.covers(pfn) || !this.at(pfn).assigned;
  }

  /** An access by a vCPU, and the page that it reaches: through what the vCPU remembers, if it remembers. */
  guestAccess(
    asid: number,
    vcpu: number,
    gpa: bigint,
    kind: OracleKind,
    cbit: boolean,
    vmpl: number,
    user: boolean,
  ): { outcome: OracleOutcome; pfn: number } {
    const gfn = Number(gpa / 4096n);
    const isPrivate = cbit || kind === 'fetch' || kind === 'walk' || kind === 'walk-write';
    const outcome = this.walk(asid, gfn, kind, isPrivate, vmpl, user);
    const found = this.translate(asid, gfn);
    if (!this.host.tlb) return { outcome, pfn: found?.pfn ?? -1 };
    const sameVcpu = (t: OracleTranslation): boolean =>
      t.asid === asid && t.vcpu === vcpu && t.isPrivate === isPrivate && t.vmpl === vmpl && t.user === user;
    const known = this.translations.find(
      (t) => sameVcpu(t) && t.kinds.has(kind) && gfn >= t.gfn && gfn < t.gfn + t.pages,
    );
    if (known !== undefined) return { outcome: { code: 0, carry: false }, pfn: known.pfn + gfn - known.gfn };
    if (found === undefined || !('code' in outcome)) return { outcome, pfn: found?.pfn ?? -1 };
    const pages = found.mapping.level === 1 ? 1 : 512;
    const [firstGfn, firstPfn] = [gfn - (gfn % pages), found.pfn - (gfn % pages)];
    const kinds = new Set<string>(kind === 'write' ? ['read', 'write'] : [kind]);
    for (const t of this.translations)
      if (sameVcpu(t) && t.gfn === firstGfn && t.pfn === firstPfn && t.pages === pages)
        for (const other of t.kinds) kinds.add(other);
    this.forget((t) => sameVcpu(t) && overlap(t.gfn, t.pages, firstGfn, pages));
    this.translations.push({ asid, vcpu, isPrivate, vmpl, user, gfn: firstGfn, pfn: firstPfn, pages, kinds });
    return { outcome, pfn: found.pfn };
  }

  /** A walk of the nested page table and the RMP checks that follow. */
  private walk(
    asid: number,
    gfn: number,
    kind: OracleKind,
    isPrivate: boolean,
    vmpl: number,
    user: boolean,
  ): OracleOutcome {
    const writes = kind === 'write' || kind === 'walk-write' || kind === 'shadow-write';
    const enc = isPrivate ? ['ENC'] : [];
    const found = this.translate(asid, gfn);
    if (found === undefined || (writes && !found.mapping.writable)) return { fault: 'NPF', bits: enc };
    if (!isPrivate) {
      if (!writes || this.writableByHost(found.pfn, found.mapping.level)) return { code: 0, carry: false };
      return { fault: 'NPF', bits: ['RMP'] };
    }
    const entry = this.bound(asid, found.pfn, gfn);
    if (entry === undefined || entry.large !== found.mapping.level > 1) return { fault: 'NPF', bits: ['RMP', 'ENC'] };
    if (!entry.validated) return { fault: 'VC', bits: [] };
    const mask = entry.masks[vmpl];
    const [r, w, xu, xs, sss] = [1, 2, 4, 8, 16].map((bit) => (mask & bit) !== 0);
    let permitted = kind === 'fetch' ? (user ? xu : xs) : writes ? r && w : r;
    const isSupervisorShadow = (kind === 'shadow' || kind === 'shadow-write') && !user;
    if (this.host.shadowStacks && isSupervisorShadow) permitted &&= sss;
    if (permitted) return { code: 0, carry: false };
    return { fault: 'NPF', bits: ['RMP', 'ENC', 'VMPL', ...(this.host.shadowStacks && sss ? ['SSS'] : [])] };
  }
}

export const within = (ranges: readonly [number, number][], page: number): boolean =>
  ranges.some(([start, end]) => page >= start && page < end);

const overlap = (a: number, aPages: number, b: number, bPages: number): boolean => a < b + bPages && b < a + aPages;
