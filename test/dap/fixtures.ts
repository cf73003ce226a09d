// Scenario files for the debugger's tests, in a folder of their own; the mailed patch too, if SNP_PATCH_DIR says where it is.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Workspace {
  folder: string;
  file(name: string): string;
  remove(): void;
}

export function workspace(files: Readonly<Record<string, string>>): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'snp-dap-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return {
    folder,
    file: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The patch that is not ours to ship; undefined without SNP_PATCH_DIR. */
export function mailedPatch(): string | undefined {
  const folder = process.env.SNP_PATCH_DIR;
  if (folder === undefined || folder === '') return undefined;
  const name = readdirSync(folder).find((entry) => entry.startsWith('0048'));
  return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8');
}

/** A host with one guest. Line 1 is `use kernel`; what `use` adds comes on line 2. */
export const head = (use = ''): string => `use kernel "kvm-rfc-v8"
${use}
host {
  memory 4G
  cpus 2
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
`;

/** The number of the first line that holds a text, from 1. */
export function lineOf(text: string, part: string): number {
  const at = text.indexOf(part);
  if (at < 0) throw new Error(`not in the text: ${part}`);
  return text.slice(0, at).split('\n').length;
}

/** A 2M page is converted, then one 4K page of it: the second conversion smashes. @param use `use …` */
export const smash = (use = ''): string => `${head(use)}
/// A 2M page becomes private, then one page of it is given back: its entry has to be split first.
scenario "a page out of a 2M folio" {
  let page = 68K
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  vmm.set_memory_attributes(g, page..page + 4K, SHARED)
  expect rmp(g, page) is shared
  expect count(psmash) is 1
}
`;

/** C of our own that takes the place of the mailed patch where that may not be shipped: gives single pages back, and says so. */
export const ownSource = `static int give_back(struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t pfn)
{
	int level;
	int rc;

	if (snp_lookup_rmpentry(pfn, &level) <= 0)
		return 0;
	if (level == PG_LEVEL_2M) {
		rc = psmash(pfn & ~511ULL);
		if (rc)
			return rc;
	}
	pr_info("gfn %llx goes back\\n", gfn);
	return rmp_make_shared(pfn, PG_LEVEL_4K);
}

int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end)
{
	struct kvm_sev_info *sev = &to_kvm_svm(slot->kvm)->sev_info;
	kvm_pfn_t pfn;
	gfn_t gfn;
	int order;
	int rc;

	if (kvm_restrictedmem_get_pfn(slot, start, &pfn, &order))
		return -EINVAL;
	put_page(pfn_to_page(pfn));
	if (attr & KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return rmp_make_private(pfn, gfn_to_gpa(start), PG_LEVEL_2M, sev->asid, false);

	for (gfn = start; gfn < end; gfn++) {
		rc = give_back(slot, gfn, pfn + (gfn - start));
		if (rc)
			return rc;
	}
	return 0;
}
`;
