// What cannot run is reported at its place in C, on the step that reaches it, and only if one does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText } from './check-text.ts';

const using = (kind: string, step: string, extra = ''): string => `use kernel "kvm-rfc-v8"
use ${kind} "own.c"
${extra}guest g {
  asid 1
  slot 0 gpa 0..1M private folio 4K pfn 0x40000
}
scenario "own code" {
  ${step}
}
`;

/** Rule, file and line (from 1) of every diagnostic, with its message. */
function found(own: string, step: string, extra = '', kind = 'source') {
  const result = checkText(using(kind, step, extra), { 'own.c': own }, { loopBudget: 10_000 });
  return {
    status: result.scenarios[0]?.status,
    places: result.diagnostics.map((d) => `${d.rule} ${d.location.path}:${d.location.range.start.line + 1}`),
    messages: result.diagnostics.map((d) => d.message),
    related: result.diagnostics.flatMap((d) =>
      d.related.map((r) => `${r.location.path}:${r.location.range.start.line + 1}`),
    ),
    data: result.diagnostics.map((d) => d.data),
  };
}

test('a loop without end stops at the budget, and the diagnostic names the loop', () => {
  const own = 'int spin(int n)\n{\n\twhile (n)\n\t\t;\n\treturn n;\n}\n';
  const { places, messages, status } = found(own, 'kernel.spin(1)');
  assert.deepEqual(places, ['TERM test.snpscenario:8', 'TERM own.c:3']);
  assert.match(messages[0], /loop at line 3 in spin\(\)/);
  assert.equal(status, 'error');
});

test('recursion without end is stopped too', () => {
  const { places, status } = found('int down(int n)\n{\n\treturn down(n + 1);\n}\n', 'kernel.down(1)');
  assert.ok(places[0].startsWith('TERM') || places[0].startsWith('TRAP'), places[0]);
  assert.equal(status, 'error');
});

test('a function that nobody defines is reported where it is called, with a stub as the remedy', () => {
  const own = 'int a(int n)\n{\n\tif (n)\n\t\treturn sev_secret_helper(n);\n\treturn 0;\n}\n';
  const reached = found(own, 'kernel.a(1)');
  assert.ok(reached.places.includes('C-UNDEFINED test.snpscenario:8'), reached.places.join());
  assert.ok(reached.related.includes('own.c:4') || reached.places.includes('C-UNDEFINED own.c:4'));
  assert.match(reached.messages[0], /sev_secret_helper.*stub sev_secret_helper returns 0/s);
  assert.deepEqual(reached.data[0], { kind: 'stub', name: 'sev_secret_helper' });
});

test('the same function is no problem when no scenario reaches it, or when it is stubbed', () => {
  const own = 'int a(int n)\n{\n\tif (n)\n\t\treturn sev_secret_helper(n);\n\treturn 0;\n}\n';
  assert.deepEqual(found(own, 'kernel.a(0)').places, []);
  assert.deepEqual(found(own, 'kernel.a(1)', 'stub sev_secret_helper returns 0\n').places, []);
});

test('a construct that cannot run is reported at its place if it is reached', () => {
  const own = 'int b(int n)\n{\n\tif (n)\n\t\tasm volatile("hlt");\n\treturn 0;\n}\n';
  assert.deepEqual(found(own, 'kernel.b(0)').places, []);
  const { places } = found(own, 'kernel.b(1)');
  assert.deepEqual(places, ['C-UNSUPPORTED test.snpscenario:8', 'C-UNSUPPORTED own.c:4']);
});

test('broken syntax costs its own function', () => {
  const own = 'int c(int n)\n{\n\treturn n + ;\n}\n\nint d(int n)\n{\n\treturn n + 1;\n}\n';
  assert.deepEqual(found(own, 'expect rmp(g, 0) is shared').places, []);
  assert.deepEqual(found(own, 'kernel.d(1) => 2').places, []);
  assert.deepEqual(found(own, 'kernel.c(1)').places, ['C-SYNTAX test.snpscenario:8', 'C-SYNTAX own.c:3']);
});

test('a NULL pointer is a trap at the dereference', () => {
  const own = 'int e(struct kvm_memory_slot *slot)\n{\n\treturn slot->id;\n}\n';
  const { places, messages } = found(own, 'kernel.e(0)');
  assert.deepEqual(places, ['TRAP test.snpscenario:8', 'TRAP own.c:3']);
  assert.match(messages[0], /NULL/);
});

test('a lock that is kept is reported where it was taken', () => {
  const own = 'int f(struct kvm *kvm)\n{\n\tmutex_lock(&kvm->slots_lock);\n\treturn 0;\n}\n';
  const { places } = found(own, 'kernel.f(g)');
  assert.ok(
    places.includes('LOCK-BALANCE test.snpscenario:8') && places.includes('LOCK-BALANCE own.c:3'),
    places.join(),
  );
});

test('a page reference that is kept is reported where it was taken', () => {
  const own = `int leak(struct kvm_memory_slot *slot, gfn_t gfn)
{
	kvm_pfn_t pfn;
	int order;

	return kvm_restrictedmem_get_pfn(slot, gfn, &pfn, &order);
}
`;
  const { places, messages } = found(own, 'kernel.leak(slot(g, 0), 3)');
  assert.deepEqual(places, ['REF test.snpscenario:8', 'REF own.c:6']);
  assert.match(messages[0], /pfn 0x40003/);
});

test('a file that cannot be read is reported on its use line, and nothing runs', () => {
  const result = checkText(using('source', 'g.read(0) => any'));
  assert.deepEqual(
    result.diagnostics.map((d) => [d.rule, d.location.range.start.line]),
    [['FILE', 1]],
  );
  assert.equal(result.scenarios[0].status, 'error');
});

test('an unknown kernel model names the known ones', () => {
  const result = checkText('use kernel "kvm-9.9"\nscenario "s" {\n}\n');
  assert.match(result.diagnostics[0].message, /"kvm-9.9".*"kvm-rfc-v8"/s);
});

test('a text that is no patch is said to be none', () => {
  const { places, status } = found('Dear list,\nplease apply.\n', 'expect rmp(g, 0) is shared', '', 'patch');
  assert.ok(places.length > 0 && places.every((place) => place.startsWith('PATCH')), places.join());
  assert.ok(status !== undefined);
});

test('simulated assembly of a patch: added functions win over the model, wherever the hunk stands', () => {
  const patch = `Subject: [PATCH] x
---
diff --git a/arch/x86/kvm/svm/sev.c b/arch/x86/kvm/svm/sev.c
--- a/arch/x86/kvm/svm/sev.c
+++ b/arch/x86/kvm/svm/sev.c
@@ -10,3 +10,8 @@ static int before(void)
  * the end of a comment
  */
 
+int answer(int n)
+{
+	return n * 2;
+}
+
-- 
2.25.1
`;
  assert.deepEqual(found(patch, 'kernel.answer(21) => 42', '', 'patch').places, []);
});
