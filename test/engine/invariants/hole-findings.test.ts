// What ATTR-RMP says of a hole: the hole took the pages, no loop skipped them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from '../run/check-text.ts';

const scenario = (steps: string): string =>
  `use kernel "kvm-rfc-v8"\nhost {\nmemory 4G\n}\nguest g {\nslot 0 gpa 0..1G private folio 4K pfn 0x40000\n}\nscenario "s" {\n${steps}\n}\n`;

test('pages that a hole took from private memory', () => {
  const found = lines(
    checkText(scenario('vmm.set_memory_attributes(g, 0..16K, PRIVATE)\nvmm.punch_hole(g, 0..8K)')),
  ).filter((line) => line.includes(' ATTR-RMP '));
  assert.equal(found.length, 1);
  assert.match(
    found[0],
    /2 pages of guest g \(gfn 0x0\.\.0x2\) have attribute PRIVATE, but no private page backs them any more\./,
  );
  assert.doesNotMatch(found[0], /The loop went on/);
});

test('what BOUND has said of the page behind a hole, ZAP does not say of the first page in it', () => {
  const steps =
    'vmm.set_memory_attributes(g, 0..16K, PRIVATE)\nfor a in 0..16K step 4K {\ng.pvalidate(a)\n}\nvmm.punch_hole(g, 0..8K)';
  const found = lines(checkText(scenario(steps)));
  assert.equal(found.filter((line) => line.includes(' BOUND ')).length, 1);
  assert.deepEqual(
    found.filter((line) => line.includes(' ZAP ')),
    [],
  );
});

test('a loop that updated every page it passed did not skip any', () => {
  const steps = 'vmm.set_memory_attributes(g, 0..8K, PRIVATE)\nkernel.sev_invalidate_private_range(slot(g, 0), 0, 1)';
  const found = lines(checkText(scenario(steps))).filter((line) => line.includes(' ATTR-RMP '));
  assert.equal(found.length, 1);
  assert.doesNotMatch(found[0], /The loop went on by 1 page .* after updating 1 RMP entry/);
});
