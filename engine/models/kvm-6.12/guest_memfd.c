/*
 * Private memory: model of virt/kvm/guest_memfd.c of v6.12. A page comes into being when it is first asked for, is made the guest's (prepared) before
 * it is handed out, and is taken back when its folio is freed.
 *
 * v6.12 has folios of one page. With the option gmem-huge-folios they are as large as the slot says, for the trees that carry patches for that. The
 * folio's lock, which serialises two vCPUs at one folio, is left out: nothing runs between lock and unlock.
 */

struct folio {
	pgoff_t index;
	kvm_pfn_t pfn;
	int order;
};

static kvm_pfn_t folio_file_pfn(struct folio *folio, pgoff_t index)
{
	return folio->pfn + (index - folio->index);
}

/* The folio that holds a page of the file, with a reference on that page; allocates it if need be. 0 or -errno. */
static int kvm_gmem_get_folio(struct file *file, pgoff_t index, struct folio *folio)
{
	kvm_pfn_t pfn;
	int order;
	int ret;

	ret = __gmem_get_page(file->id, index, &pfn, &order);
	if (ret)
		return ret;

	folio->index = round_down(index, (pgoff_t)1 << order);
	folio->pfn = pfn - (index - folio->index);
	folio->order = order;
	return 0;
}

/* Let the architecture make the page the guest's. */
static int __kvm_gmem_prepare_folio(struct kvm *kvm, struct kvm_memory_slot *slot, pgoff_t index, struct folio *folio) __must_propagate;

static int __kvm_gmem_prepare_folio(struct kvm *kvm, struct kvm_memory_slot *slot, pgoff_t index, struct folio *folio)
{
	kvm_pfn_t pfn = folio_file_pfn(folio, index);
	gfn_t gfn = slot->base_gfn + index - slot->gmem.pgoff;
	int rc;

	rc = kvm_arch_gmem_prepare(kvm, gfn, pfn, folio->order);
	if (rc)
		pr_warn_ratelimited("gmem: Failed to prepare folio for index %lx GFN %llx PFN %llx error %d.\n", index, gfn, pfn, rc);
	return rc;
}

/*
 * First use of a folio: fill it with zeroes through the direct map, make it the guest's, and remember that in its uptodate flag.
 *
 * Nothing aligns the slot's place in the file with its gfns; the warning is all there is.
 */
static int kvm_gmem_prepare_folio(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, struct folio *folio)
{
	pgoff_t index = gfn - slot->base_gfn + slot->gmem.pgoff;
	unsigned long nr_pages = 1UL << folio->order;
	unsigned long i;
	int r;

	for (i = 0; i < nr_pages; i++) {
		if (!__gmem_test_uptodate(folio->pfn + i))
			__host_write_page(folio->pfn + i);
	}

	WARN_ON(!IS_ALIGNED(slot->gmem.pgoff, nr_pages));

	r = __kvm_gmem_prepare_folio(kvm, slot, index, folio);
	if (!r)
		__gmem_mark_uptodate(folio->pfn, nr_pages);
	return r;
}

static struct file *kvm_gmem_get_file(struct kvm_memory_slot *slot)
{
	return slot->gmem.file;
}

/*
 * The frame behind a gfn, prepared, with a reference on its page. *max_order, where it is wanted: that of the folio. 0 or -errno.
 *
 * A folio of several pages may be prepared in part only (4K entries, where its 2M region was not free), which one flag cannot tell: there the
 * architecture is asked every time. It leaves an assigned page alone.
 */
int kvm_gmem_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn, int *max_order)
{
	struct file *file = kvm_gmem_get_file(slot);
	pgoff_t index = gfn - slot->base_gfn + slot->gmem.pgoff;
	struct folio folio;
	int r;

	if (!file)
		return -EFAULT;

	r = kvm_gmem_get_folio(file, index, &folio);
	if (r)
		return r;

	*pfn = folio_file_pfn(&folio, index);
	if (max_order)
		*max_order = folio.order;

	if (!__gmem_test_uptodate(*pfn))
		r = kvm_gmem_prepare_folio(kvm, slot, gfn, &folio);
	else if (folio.order)
		r = __kvm_gmem_prepare_folio(kvm, slot, index, &folio);

	if (r < 0)
		put_page(pfn_to_page(*pfn));
	return r;
}

/* The largest piece of a folio that can be populated at once: aligned, not beyond the end, and all of it private. -1 if not even one page is. */
static int kvm_gmem_populate_order(struct kvm *kvm, gfn_t gfn, long npages, int max_order)
{
	int order = max_order;

	while (order && (!IS_ALIGNED(gfn, (gfn_t)1 << order) || npages < 1L << order))
		order--;

	while (!kvm_range_has_memory_attributes(kvm, gfn, gfn + (1UL << order), KVM_MEMORY_ATTRIBUTE_PRIVATE,
						KVM_MEMORY_ATTRIBUTE_PRIVATE)) {
		if (!order)
			return -1;
		order--;
	}
	return order;
}

/*
 * Put initial contents into pages that no guest has had yet: they have to be private by attribute, and not prepared. Goes on until the first page
 * that fails. Returns the number of pages done; -errno only if the very first one failed, so the caller has to ask again for the rest.
 */
long kvm_gmem_populate(struct kvm *kvm, gfn_t start_gfn, bool has_source, long npages, kvm_gmem_populate_cb post_populate, void *opaque)
{
	struct kvm_memory_slot *slot;
	struct file *file;
	int ret = 0, order = 0;
	long i;

	lockdep_assert_held(&kvm->slots_lock);

	if (WARN_ON_ONCE(npages <= 0))
		return -EINVAL;

	slot = gfn_to_memslot(kvm, start_gfn);
	if (!kvm_slot_can_be_private(slot))
		return -EINVAL;

	file = kvm_gmem_get_file(slot);
	if (!file)
		return -EFAULT;

	filemap_invalidate_lock(file);

	npages = min_t(long, slot->npages - (start_gfn - slot->base_gfn), npages);
	for (i = 0; i < npages; i += 1L << order) {
		u64 gfn = start_gfn + i;
		pgoff_t index = gfn - slot->base_gfn + slot->gmem.pgoff;
		struct folio folio;
		kvm_pfn_t pfn;

		ret = kvm_gmem_get_folio(file, index, &folio);
		if (ret)
			break;
		pfn = folio_file_pfn(&folio, index);

		if (__gmem_test_uptodate(pfn)) {
			put_page(pfn_to_page(pfn));
			ret = -EEXIST;
			break;
		}

		ret = -EINVAL;
		order = kvm_gmem_populate_order(kvm, gfn, npages - i, folio.order);
		if (order >= 0)
			ret = post_populate(kvm, gfn, pfn, has_source, order, opaque);
		if (!ret)
			__gmem_mark_uptodate(pfn, 1UL << order);

		put_page(pfn_to_page(pfn));
		if (ret)
			break;
	}

	filemap_invalidate_unlock(file);

	return ret && !i ? ret : i;
}

/* Pages start .. end of the file are about to go: every slot that is bound to them drops its mappings, before anything happens to the pages. */
static bool kvm_gmem_invalidate_begin(struct file *file, pgoff_t start, pgoff_t end)
{
	struct kvm *kvm = file->kvm;
	struct kvm_memslots *slots = kvm_memslots(kvm);
	bool flush = false, found_memslot = false;
	int i;

	for (i = 0; i < slots->used_slots; i++) {
		struct kvm_memory_slot *slot = slots->slots[i];
		pgoff_t pgoff = slot->gmem.pgoff;
		struct kvm_gfn_range gfn_range;

		if (slot->gmem.file != file || end <= pgoff || start >= pgoff + slot->npages)
			continue;

		gfn_range.slot = slot;
		gfn_range.start = slot->base_gfn + max(pgoff, start) - pgoff;
		gfn_range.end = slot->base_gfn + min(pgoff + slot->npages, end) - pgoff;
		gfn_range.may_block = true;

		if (!found_memslot) {
			found_memslot = true;
			KVM_MMU_LOCK(kvm);
			kvm_mmu_invalidate_begin(kvm);
		}

		kvm_mmu_invalidate_range_add(kvm, gfn_range.start, gfn_range.end);
		flush |= kvm_unmap_gfn_range(kvm, &gfn_range);
	}

	if (flush)
		kvm_flush_remote_tlbs(kvm);
	if (found_memslot)
		KVM_MMU_UNLOCK(kvm);
	return found_memslot;
}

static void kvm_gmem_invalidate_end(struct file *file, bool found_memslot)
{
	if (!found_memslot)
		return;

	KVM_MMU_LOCK(file->kvm);
	kvm_mmu_invalidate_end(file->kvm);
	KVM_MMU_UNLOCK(file->kvm);
}

/* .free_folio: the folio is out of the file and about to be given back to the allocator. */
static void kvm_gmem_free_folio(struct folio *folio)
{
	kvm_arch_gmem_invalidate(folio->pfn, folio->pfn + (1UL << folio->order));
}

/* truncate_inode_pages_range(): what is there of start .. end goes, folio by folio. Of a folio that reaches beyond, the pages inside go. */
static void kvm_gmem_truncate(struct file *file, pgoff_t start, pgoff_t end)
{
	struct folio folio;
	pgoff_t index = start;
	kvm_pfn_t pfn;
	u64 found;
	int order;

	while (index < end && __restrictedmem_next(file->id, index, end, &found, &pfn, &order)) {
		folio.index = round_down((pgoff_t)found, (pgoff_t)1 << order);
		if (folio.index < start || folio.index + (1UL << order) > end) {
			__gmem_split_folio(file->id, found);
			order = 0;
			folio.index = found;
		}
		folio.pfn = pfn - (found - folio.index);
		folio.order = order;

		kvm_gmem_free_folio(&folio);
		index = folio.index + (1UL << order);
	}

	__gmem_free(file->id, start, end - start);
}

/* fallocate(FALLOC_FL_PUNCH_HOLE) for pages start .. end: mappings first, then the RMP, then the pages are free. */
long kvm_gmem_punch_hole(struct file *file, pgoff_t start, pgoff_t end)
{
	bool found_memslot;

	filemap_invalidate_lock(file);

	found_memslot = kvm_gmem_invalidate_begin(file, start, end);
	kvm_gmem_truncate(file, start, end);
	kvm_gmem_invalidate_end(file, found_memslot);

	filemap_invalidate_unlock(file);
	return 0;
}
