// Texts that look as if they were run and are not: a reversed patch, a function that is defined twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from '../../run/check-text.ts';

const using = (kind: string, text: string): string[] =>
  lines(
    checkText(`use ${kind} "f"\nguest g {\nslot 0 gpa 0..1G\n}\nscenario "s" {\ng.read(0, shared)\n}\n`, { f: text }),
  );

const forward = `--- a/arch/x86/kvm/svm/sev.c
+++ b/arch/x86/kvm/svm/sev.c
@@ -1,2 +1,5 @@ first
 int before;
+int psmash(u64 pfn)
+{
+\treturn 0; }
 int after;
`;
const reversed = forward.replace('-1,2 +1,5', '-1,5 +1,2').replaceAll('\n+', '\n-').replace('\n-++', '\n+++');

test('a patch that only takes away is said to replace nothing, also when its counts are wrong', () => {
  assert.deepEqual(using('patch', forward), []);
  assert.match(
    using('patch', reversed).join('\n'),
    /warning PATCH `f` defines no function: nothing in the model is replaced/,
  );
  const miscounted = reversed.replace('-1,5', '-1,4');
  assert.match(using('patch', miscounted).join('\n'), /The counts of this hunk are wrong/);
  assert.match(using('patch', miscounted).join('\n'), /defines no function: nothing in the model is replaced/);
});

test('a patch of other files is told so once', () => {
  const text = '--- a/Documentation/x.rst\n+++ b/Documentation/x.rst\n@@ -1,1 +1,2 @@\n+x\n y\n';
  const found = using('patch', text);
  assert.equal(found.length, 1);
  assert.match(found[0], /changes no C file/);
});

test('a function that is defined twice in a source', () => {
  const twice = 'int psmash(u64 pfn) { return 1; }\nint psmash(u64 pfn) { return 2; }\n';
  assert.match(using('source', twice)[0], /^f:2:\d+ warning C-TYPE `psmash` is defined twice in this file/);
  assert.deepEqual(using('source', '#if 0\nint f(void) { return 1; }\n#else\nint f(void) { return 2; }\n#endif\n'), []);
});
