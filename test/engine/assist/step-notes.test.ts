// Notes of what steps came to: the same whether they were taken at one go, in small slices, after edits, or while others look elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Asking } from '../../../engine/assist/asking.ts';
import { hintsIn } from '../../../engine/assist/hints.ts';
import { hoverAt } from '../../../engine/assist/hover.ts';
import { toPlain } from '../../../engine/assist/prose.ts';
import { createChecker } from '../../../engine/checker.ts';
import type { DocumentView } from '../../../engine/view.ts';

const host = { resolve: (_: string, name: string) => name, read: () => ({ error: 'no such file' }) };
const head = `guest g {
  asid 1
  slot 0 gpa 0..8M private folio 2M pfn 0x1000
}
sequence take(at) {
  vmm.set_memory_attributes(g, at +4K, PRIVATE)
  g.pvalidate(at)
}
`;
const steps = [
  'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
  'vmm.set_memory_attributes(g, 2M..4M, PRIVATE)',
  'vmm.set_memory_attributes(g, 64K..4M, SHARED)',
  'g.write(0)',
  'g.pvalidate(0, 2M)',
  'cpu.psmash(pfn(g, 0))',
  'take(4M)',
  'for a in 4M..4M + 16K step 4K { take(a) }',
  'kernel.no_such_function()',
  'let x = pfn(g, 0)',
  'expect rmp(g, 0) is 2M',
  'g.read(',
];
const lines = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 8 });
const scenario = (name: string, body: readonly string[]) =>
  `scenario "${name}" {\n${body.map((line) => `  ${line.replace('{ ', '{\n').replace(' }', '\n}')}\n`).join('')}}\n`;

/** Every hint of a document, asked for in slices of so many ticks. */
function hints(view: DocumentView, ticks: number): string[] {
  for (let turn = 0; turn < 100_000; turn++) {
    const found = hintsIn(view, 0, Number.POSITIVE_INFINITY, 'changes', { ticks }, false);
    if (found !== 'later') return found.map(({ line, text }) => `${line.start}: ${text}`);
  }
  return assert.fail('the hints are never there');
}

const fresh = (text: string): DocumentView => createChecker(host).view('a.snpscenario', text);

/** A hover as plain text. */
function hover(view: DocumentView, offset: number, ticks: number): string | undefined {
  for (let turn = 0; turn < 100_000; turn++) {
    const found = hoverAt(new Asking(view, { ticks }, false), offset);
    if (found !== 'later') return found && `${found.start}..${found.end} ${toPlain(found.blocks)}`;
  }
  return assert.fail('the hover is never there');
}

test('hints in slices, through edits and between hovers, are those of a run from scratch', () => {
  const kept = createChecker(host);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(lines, lines, fc.nat(400), fc.constantFrom(7, 100, 5000)), { minLength: 1, maxLength: 4 }),
      (edits) => {
        for (const [first, second, look, ticks] of edits) {
          const text = head + scenario('one', first) + scenario('two', second);
          const view = kept.view('a.snpscenario', text);
          const wanted = hints(fresh(text), 1e9);
          const offset = head.length + (look % (text.length - head.length));
          assert.equal(hover(view, offset, 1e6), hover(fresh(text), offset, 1e9));
          assert.deepEqual(hints(view, ticks), wanted);
          assert.equal(hover(view, offset, 1e6), hover(fresh(text), offset, 1e9));
          assert.deepEqual(hints(view, 1e9), wanted);
        }
      },
    ),
    { numRuns: 12 },
  );
});

test('a hover in slices says what a hover at one go says', () => {
  const text = head + scenario('one', [steps[0], steps[4], steps[5], steps[7], steps[2]]);
  const view = fresh(text);
  for (let offset = head.length; offset < text.length; offset += 9)
    assert.equal(hover(view, offset, 2000), hover(fresh(text), offset, 1e9), `at ${text.slice(offset, offset + 12)}`);
});

test('with no ticks at all, the last answer says what is known without a run', () => {
  const text = head + scenario('one', [steps[0]]);
  const found = hoverAt(new Asking(fresh(text), { ticks: 0 }, true), text.indexOf('set_memory', head.length));
  assert.ok(found !== undefined && found !== 'later');
  assert.match(toPlain(found.blocks), /has not run up to here yet/);
  assert.deepEqual(hintsIn(fresh(text), 0, text.length, 'changes', { ticks: 0 }, true), []);
});

test('a hover is answered, or has nothing to say, at every character of any text', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(
            ...steps,
            head,
            '{',
            '}',
            '"',
            '\n',
            'scenario "a" {',
            'use kernel "x"',
            'import "snp:svsm"',
            'host {',
            'option ',
            '=> #NPF(',
            '..',
            '+',
            'is { ',
            'forall page p: rmp(p) is ',
          ),
          fc.string(),
        ),
        { maxLength: 10 },
      ),
      (pieces) => {
        const text = pieces.join(' ');
        const view = fresh(text);
        for (let offset = 0; offset <= text.length; offset += 3) hover(view, offset, 1e6);
      },
    ),
    { numRuns: 60 },
  );
});
