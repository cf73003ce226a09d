import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTwoFilesPatch, applyPatch as referenceApply } from 'diff';
import fc from 'fast-check';
import { parsePatch } from '../../../../engine/c/patch.ts';
import { applyPatch } from '../../../../engine/c/patch-apply.ts';
import { at, type Loaded, load, loadPatch } from './front.ts';
import { BASE, gitDiff, mail, page, reply, withFunction } from './patches.ts';

/** Read all there is of a unit: it must neither throw nor run on, and every origin must be in its file. */
function exhaust(unit: Loaded): void {
  const inside = (o: { file: number; start: number; end: number }) => {
    const source = unit.files.list[o.file];
    assert.ok(
      source !== undefined && o.start >= 0 && o.start <= o.end && o.end <= source.text.length,
      JSON.stringify(o),
    );
  };
  for (const item of unit.items) {
    const tokens = item.tokens();
    assert.equal(tokens[tokens.length - 1].kind, 'end');
    assert.equal(tokens.filter((t) => t.kind === 'end').length, 1);
    for (const token of tokens) {
      inside(token);
      if (token.definition !== undefined) inside(token.definition);
    }
    inside(item.origin);
    assert.ok(item.kind !== 'function' || item.name !== undefined);
  }
  for (const problem of unit.problems) {
    inside(problem.origin);
    assert.ok(problem.message.length > 10 && /^(C-SYNTAX|PATCH)$/.test(problem.rule));
  }
  for (const m of unit.modified) inside(m.origin);
  for (const u of unit.unknownIncludes) inside(u.origin);
}

const word = fc.constantFrom(
  'int',
  'f',
  'a',
  'b',
  'struct',
  'static',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  ';',
  ',',
  '=',
  '*',
  '#',
  '##',
  '...',
  '\n',
  '\n',
  '\n#define ',
  '\n#define f(a, b) ',
  '\n#define f(...) ',
  '__VA_ARGS__',
  '__VA_OPT__(',
  '\n#if ',
  '\n#ifdef a',
  '\n#else\n',
  '\n#elif ',
  '\n#endif\n',
  '\n#undef a\n',
  '\n#include "h.h"\n',
  '\n#include <',
  '"',
  "'",
  '/*',
  '*/',
  '//',
  '\\\n',
  '\\',
  ' ',
  '\t',
  '0',
  '1',
  '1.5e+',
  '&&',
  '||',
  '?',
  ':',
  '<<',
  '/',
  '%',
  '-',
  '!',
  'defined',
  'defined(a)',
  'IS_ENABLED(',
  '__LINE__',
  '__COUNTER__',
  '_Pragma("x")',
  'é',
  '\u{1f600}',
  '\0',
  '\r\n',
);
const soup = fc
  .array(fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.string({ maxLength: 5 }) }), {
    maxLength: 120,
  })
  .map((w) => w.join(' '));
const denseSoup = fc.array(word, { maxLength: 200 }).map((w) => w.join(''));
const include = { 'h.h': '#ifndef a\n#define a f(a,\n#endif\n#define f(x) x b a\nint h;\n' };

describe('any text at all', () => {
  it('as C gives items and problems, never an exception', () => {
    fc.assert(
      fc.property(fc.oneof(soup, denseSoup), (text) => exhaust(load(text, { include }))),
      { numRuns: 1500 },
    );
  });

  it('as a patch gives items and problems, never an exception', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 200 })), (text) =>
        exhaust(loadPatch(text, { include })),
      ),
      { numRuns: 300 },
    );
  });

  it('as the added lines of a patch too, with or without its base', () => {
    fc.assert(
      fc.property(soup, soup, fc.nat(20), (before, after, context) => {
        const diff = gitDiff('svm/sev.c', before, after, context);
        exhaust(loadPatch(mail(diff), { include }));
        exhaust(loadPatch(mail(diff), { include, bases: new Map([['svm/sev.c', { path: 'base.c', text: before }]]) }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a patch with something wrong in it', () => {
  const diff = gitDiff('svm/sev.c', BASE, withFunction(BASE.replace('level = 1;', 'level = 2;')));
  const forms = [diff, mail(diff), page(diff), reply(diff), mail(diff) + mail(diff)];
  const bases = new Map([['svm/sev.c', { path: 'base.c', text: BASE }]]);

  it('cut off anywhere gives items and problems', () => {
    for (const text of forms) for (let cut = 0; cut < text.length; cut += 7) exhaust(loadPatch(text.slice(0, cut)));
  });

  it('with characters or lines taken out, doubled, moved or replaced gives items and problems', () => {
    const edit = fc.record({
      where: fc.double({ min: 0, max: 1, noNaN: true }),
      what: fc.constantFrom('delete', 'double', 'swap', 'insert', 'character', 'newline'),
      text: word,
    });
    fc.assert(
      fc.property(fc.constantFrom(...forms), fc.array(edit, { minLength: 1, maxLength: 12 }), (form, edits) => {
        let lines = form.split('\n');
        for (const { where, what, text } of edits) {
          const i = Math.floor(where * (lines.length - 1));
          const half = Math.floor(lines[i].length * where);
          if (what === 'delete') lines.splice(i, 1);
          else if (what === 'double') lines.splice(i, 0, lines[i]);
          else if (what === 'swap') lines.splice(i, 2, lines[i + 1] ?? '', lines[i]);
          else if (what === 'insert') lines.splice(i, 0, text);
          else if (what === 'character') lines[i] = lines[i].slice(0, half) + text + lines[i].slice(half + 1);
          else lines[i] = `${lines[i].slice(0, half)}\n${lines[i].slice(half)}`;
          if (lines.length === 0) lines = [''];
        }
        exhaust(loadPatch(lines.join('\n'), { bases }));
        exhaust(loadPatch(lines.join('\n')));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a patch applied to its base', () => {
  const line = fc.constantFrom(
    '',
    '}',
    '{',
    '\treturn a;',
    'int f(void)',
    '/* x */',
    'a',
    'b',
    'c',
    '\tb();',
    '- x',
    '+ y',
    '@@',
    '\\',
  );
  const text = fc.array(line, { maxLength: 40 }).map((l) => l.map((x) => `${x}\n`).join(''));

  it('gives the text it was made from, each character standing where the map says', () => {
    fc.assert(
      fc.property(text, text, fc.nat(4), (before, after, context) => {
        fc.pre(before !== after);
        const diff = createTwoFilesPatch('a/x.c', 'b/x.c', before, after, undefined, undefined, { context });
        const patch = parsePatch(diff, 1);
        const { view, problems } = applyPatch(before, 0, patch, patch.files, 1);
        assert.deepEqual(problems, []);
        assert.equal(view.text.trimEnd(), after.trimEnd());
        for (let i = 0; i < view.text.trimEnd().length; i++) {
          if (view.text[i] !== '\n') assert.equal([before, diff][view.map.file(i)][view.map.offset(i)], view.text[i]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('moved down in its file agrees with the diff library', () => {
    fc.assert(
      fc.property(text, text, text, (prefix, before, after) => {
        fc.pre(before !== after);
        const diff = createTwoFilesPatch('a/x.c', 'b/x.c', before, after, undefined, undefined, { context: 3 });
        const reference = referenceApply(prefix + before, diff, { fuzzFactor: 0 });
        fc.pre(reference !== false);
        const patch = parsePatch(diff, 1);
        fc.pre(patch.files[0].hunks.length === 1);
        const { view } = applyPatch(prefix + before, 0, patch, patch.files, 1);
        assert.equal(view.text.trimEnd(), (reference as string).trimEnd());
      }),
      { numRuns: 200 },
    );
  });
});

describe('origins', () => {
  it('of tokens that no macro made are the text they were read from, in any C text', () => {
    fc.assert(
      fc.property(fc.oneof(soup, denseSoup), (text) => {
        const unit = load(text.replaceAll('\\', ''), {});
        for (const item of unit.items)
          for (const t of item.tokens())
            if (t.kind !== 'end' && t.definition === undefined && !/[[\]{}#]/.test(t.text) && !unit.text.includes('##'))
              assert.equal(at(unit, t), t.text);
      }),
      { numRuns: 300 },
    );
  });
});
