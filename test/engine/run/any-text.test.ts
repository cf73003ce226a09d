// Any text gives diagnostics, never a crash: in a scenario, in a patch, in C.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { CheckResult } from '../../../engine/check.ts';
import { createChecker } from '../../../engine/checker.ts';
import { ruleInfo } from '../../../engine/invariants/catalogue.ts';
import { finish, memoryHost } from './check-text.ts';

const folder = fileURLToPath(new URL('../../../examples/', import.meta.url));
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.snpscenario'))
  .map((name) => readFileSync(join(folder, name), 'utf8'));

/** Every diagnostic has a known rule, a message, and a place within its file. */
function sound(result: CheckResult, files: Readonly<Record<string, string>>): void {
  for (const d of result.diagnostics) {
    assert.ok(ruleInfo(d.rule) !== undefined, `rule ${d.rule}`);
    assert.ok(d.message.length > 0 && !/undefined|\[object|NaN|[\uE000-\uE003]/.test(d.message), d.message);
    const text = files[d.location.path];
    if (text === undefined) continue;
    const lines = text.split(/\r\n|\r|\n/);
    const { start, end } = d.location.range;
    assert.ok(
      start.line < lines.length && end.line < lines.length,
      `${d.rule} at line ${start.line} of ${lines.length}`,
    );
    assert.ok(start.line < end.line || (start.line === end.line && start.character <= end.character));
  }
}

const BUDGET = { loopBudget: 200_000 };

/** Cut, repeat, replace pieces of a text. */
const mutation = fc.record({
  kind: fc.constantFrom('cut', 'repeat', 'insert', 'truncate'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(60),
  piece: fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('{', '}', '(', ')', '\n', '"', '..', '=>', '///', ';', '/*', '@@', '0x', '18446744073709551615'),
  ),
});

function mutate(
  text: string,
  mutations: readonly { kind: string; at: number; length: number; piece: string }[],
): string {
  let out = text;
  for (const m of mutations) {
    const at = Math.floor(m.at * out.length);
    if (m.kind === 'cut') out = out.slice(0, at) + out.slice(at + m.length);
    else if (m.kind === 'repeat') out = out.slice(0, at + m.length) + out.slice(at);
    else if (m.kind === 'insert') out = out.slice(0, at) + m.piece + out.slice(at);
    else out = out.slice(0, at);
  }
  return out;
}

test('a scenario of any text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 100 })), (text) => {
      sound(finish(createChecker(memoryHost()), 'a', text, BUDGET), { a: text });
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 100) },
  );
});

test('an example, damaged', () => {
  const checker = createChecker(memoryHost());
  fc.assert(
    fc.property(fc.constantFrom(...examples), fc.array(mutation, { minLength: 1, maxLength: 4 }), (text, mutations) => {
      const damaged = mutate(text, mutations);
      sound(finish(checker, 'a', damaged, BUDGET), { a: damaged });
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 150) },
  );
});

const USER_C = `#include <linux/kvm_host.h>
static inline int pages_of(int order)
{
	return 1 << order;
}

int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end)
{
	struct kvm_sev_info *sev = &to_kvm_svm(slot->kvm)->sev_info;
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++) {
		kvm_pfn_t pfn;
		int order, rc;

		rc = kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order);
		if (rc)
			return rc;
		if (attr & KVM_MEMORY_ATTRIBUTE_PRIVATE)
			rc = rmp_make_private(pfn, gfn_to_gpa(gfn), PG_LEVEL_4K, sev->asid, false);
		else
			rc = rmp_make_shared(pfn, PG_LEVEL_4K);
		put_page(pfn_to_page(pfn));
		if (rc)
			return rc;
	}
	return 0;
}
`;

const USES_C = `use kernel "kvm-rfc-v8"
use source "own.c"
host {
  memory 4G
}
guest g {
  asid 1
  slot 0 gpa 0..1M private folio 64K pfn 0x40000
}
scenario "own code" {
  vmm.set_memory_attributes(g, 0..64K, PRIVATE)
  expect all 0..64K rmp(g) is { guest g, 4K }
}
`;

test("a C source of the user's own replaces the model's function", () => {
  const result = finish(createChecker(memoryHost({ 'own.c': USER_C })), 'a', USES_C);
  assert.deepEqual(result.diagnostics, []);
  assert.equal(result.scenarios[0].status, 'passed');
});

test('a C source, damaged', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const own = mutate(USER_C, mutations);
      sound(finish(createChecker(memoryHost({ 'own.c': own })), 'a', USES_C, BUDGET), { a: USES_C, 'own.c': own });
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 40) },
  );
});

test('the mailed patch, damaged', (t) => {
  const patches = process.env.SNP_PATCH_DIR;
  if (patches === undefined) return t.skip('SNP_PATCH_DIR not set: the mailed patch is not tested');
  const file = readdirSync(patches).find((name) => name.startsWith('0048')) as string;
  const patch = readFileSync(join(patches, file), 'utf8');
  const text = USES_C.replace('use source "own.c"', `use patch "${file}"`);
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const damaged = mutate(patch, mutations);
      sound(finish(createChecker(memoryHost({ [file]: damaged })), 'a', text, BUDGET), { a: text, [file]: damaged });
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 25) },
  );
});
