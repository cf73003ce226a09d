import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, functionNamed, functions, type Loaded, loadPatch, messages, spell } from './front.ts';
import { ADDED_FUNCTION, BASE, gitDiff, mail, page, reply, withFunction } from './patches.ts';

const DIFF = gitDiff('svm/sev.c', BASE, withFunction());
const FUNCTION = spell(functionNamed(loadPatch(DIFF), 'make_shared').tokens());

/** Every token stands where the patch has it; strings and names unbroken. */
function everyTokenStandsInTheText(unit: Loaded): void {
  for (const item of unit.items) {
    for (const token of item.tokens())
      if (token.kind !== 'end' && token.definition === undefined) assert.equal(at(unit, token), token.text);
  }
}

describe('a patch that adds a function', () => {
  it('gives the function whole, with its body', () => {
    assert.equal(
      FUNCTION,
      'static int make_shared ( int pfn , int level ) { if ( level == 1 && pfn % 2 == 0 ) { p ( "%s: \\"quoted\\"\\n" , __func__ ) ; return - 22 ; } return get_level ( pfn ) ; }',
    );
  });

  for (const [form, text] of [
    ['diff', DIFF],
    ['mail', mail(DIFF)],
    ['mbox', mail(DIFF) + mail(gitDiff('svm/svm.c', 'int a;\n', 'int a;\nint b;\n'), '[PATCH 2/2] x')],
    ['page', page(DIFF)],
  ] as const) {
    it(`is understood as a ${form}`, () => {
      const unit = loadPatch(text);
      assert.equal(unit.form, form);
      assert.deepEqual(messages(unit), []);
      assert.deepEqual(functions(unit), ['make_shared']);
      assert.equal(spell(functionNamed(unit, 'make_shared').tokens()), FUNCTION);
      everyTokenStandsInTheText(unit);
      assert.deepEqual(unit.modified, []);
    });
  }

  it('is the same with any number of context lines, wherever they cut', () => {
    for (let context = 0; context < 30; context++) {
      const unit = loadPatch(gitDiff('svm/sev.c', BASE, withFunction(), context));
      assert.deepEqual(functions(unit), ['make_shared'], `${context} lines of context`);
      assert.deepEqual(messages(unit), []);
      everyTokenStandsInTheText(unit);
    }
  });

  it('brings the declarations, macros and types it adds whole, headers first', () => {
    const header = gitDiff(
      'svm/svm.h',
      '#ifndef H\n#define H\n#define OLD 1\nint old(void);\n#endif\n',
      '#ifndef H\n#define H\n#define OLD 1\n#define FRESH (OLD + 1)\nstruct fresh { int a; };\nint old(void);\nint fresh(void);\n#endif\n',
    );
    const source = gitDiff('svm/a.c', 'int a;\n', 'int a;\nint g(void)\n{\n\treturn FRESH;\n}\n');
    const unit = loadPatch(source + header);
    // OLD is only shown, so it is the model's affair.
    assert.deepEqual(
      unit.items.map((i) => spell(i.tokens())),
      ['struct fresh { int a ; } ;', 'int fresh ( void ) ;', 'int g ( void ) { return ( OLD + 1 ) ; }'],
    );
    assert.equal(spell(unit.macro('FRESH') ?? []), '( OLD + 1 )');
    assert.equal(unit.macro('OLD'), undefined);
  });

  it('can create its file', () => {
    const unit = loadPatch(
      gitDiff('svm/new.c', '', `#include <x.h>\n${ADDED_FUNCTION}`).replace('--- a/svm/new.c', '--- /dev/null'),
    );
    assert.deepEqual(functions(unit), ['make_shared']);
    assert.deepEqual(
      unit.unknownIncludes.map((u) => u.name),
      ['x.h'],
    );
  });

  it('can change several functions and files in one mbox', () => {
    const second = withFunction(withFunction(), '\nint second(void)\n{\n\treturn 2;\n}\n');
    const unit = loadPatch(mail(DIFF) + mail(gitDiff('svm/sev.c', withFunction(), second)));
    assert.deepEqual(functions(unit), ['make_shared', 'second']);
  });

  it('takes a rewritten function whose every line is new as whole', () => {
    const unit = loadPatch(
      gitDiff(
        'svm/sev.c',
        'int before;\nint f(int a)\n{\n\treturn a;\n}\nint after;\n',
        'int before;\nlong f(long b)\n{ return b + 1;\n} /* end */\nint after;\n',
      ),
    );
    assert.deepEqual(
      unit.items.map((i) => [i.name, i.whole]),
      [['f', true]],
    );
    assert.deepEqual(unit.modified, []);
  });
});

describe('a patch that changes a function', () => {
  it('reports a function it shows in part, by the name in the @@ line', () => {
    const changed = BASE.replace('store_level(level);', 'store_level(level + 1);');
    const diff = gitDiff('svm/sev.c', BASE, changed).replace(/^(@@ .* @@)$/m, '$1 static int get_level(int order)');
    const unit = loadPatch(diff);
    assert.deepEqual(unit.items, []);
    assert.deepEqual(
      unit.modified.map((m) => [m.file, m.name, m.complete]),
      [['svm/sev.c', 'get_level', false]],
    );
    assert.match(at(unit, unit.modified[0].origin), /store_level\(level\)/);
  });

  it('reports it by its head when the hunk shows that', () => {
    const unit = loadPatch(gitDiff('svm/sev.c', BASE, BASE.replace('int level = 0;', 'int level = 4;')));
    assert.deepEqual(
      unit.modified.map((m) => [m.name, m.complete]),
      [['get_level', false]],
    );
    assert.deepEqual(unit.items, []);
  });

  it('gives a function that the hunk shows from head to end, not as whole', () => {
    const unit = loadPatch(gitDiff('svm/sev.c', BASE, BASE.replace('int level = 0;', 'int level = 4;'), 20));
    assert.deepEqual(
      unit.items.map((i) => [i.name, i.whole]),
      [['get_level', false]],
    );
    assert.match(spell(unit.items[0].tokens()), /int level = 4 ;/);
    assert.deepEqual(
      unit.modified.map((m) => [m.name, m.complete]),
      [['get_level', true]],
    );
  });

  it('does not take the @@ name for a change after the end of that function', () => {
    const diff = gitDiff('svm/sev.c', BASE, BASE.replace('.b = b,', '.b = c,')).replace(
      /^(@@ .* @@)$/m,
      '$1 static int get_level(int order)',
    );
    assert.deepEqual(loadPatch(diff).modified, []);
  });

  it('does not take a block within a function for a function', () => {
    const unit = loadPatch(
      gitDiff(
        'svm/sev.c',
        BASE,
        BASE.replace('\tlevel += order;\n', '\tlevel += order;\n\tlist_for_each_entry(a, b, c) {\n\t\tx(a);\n\t}\n'),
      ),
    );
    assert.deepEqual(unit.items, []);
    assert.deepEqual(
      unit.modified.map((m) => m.name),
      [],
    );
  });
});

describe('an mbox whose later mail changes what an earlier one adds', () => {
  it('is told that the first text is used', () => {
    const changed = withFunction().replace('return -22', 'return -33');
    const second = gitDiff('svm/sev.c', withFunction(), changed).replace(
      /^(@@ .* @@)$/m,
      '$1 static int make_shared(int pfn, int level)',
    );
    const unit = loadPatch(mail(DIFF) + mail(second));
    assert.match(spell(functionNamed(unit, 'make_shared').tokens()), /return - 22/);
    assert.match(messages(unit).join(), /changed again here/);
    assert.match(at(unit, unit.problems[0].origin), /return -22/);
  });
});

describe('a patch applied to its base', () => {
  const bases = new Map([['svm/sev.c', { path: 'linux/svm/sev.c', text: `int moved;\nint down;\n${BASE}` }]]);

  it('gives the whole file, each token where it was written', () => {
    const unit = loadPatch(DIFF, { bases });
    assert.deepEqual(messages(unit), []);
    assert.deepEqual(functions(unit), ['get_level', 'make_shared']);
    assert.equal(unit.files.list[functionNamed(unit, 'get_level').origin.file].path, 'linux/svm/sev.c');
    assert.equal(unit.files.list[functionNamed(unit, 'make_shared').origin.file].path, 'svm/sev.c');
    assert.equal(spell(functionNamed(unit, 'make_shared').tokens()), FUNCTION);
    everyTokenStandsInTheText(unit);
  });

  it('gives a changed function with its lines from both', () => {
    const unit = loadPatch(gitDiff('svm/sev.c', BASE, BASE.replace('store_level(level)', 'store_level(level + 1)')), {
      bases,
    });
    const tokens = functionNamed(unit, 'get_level').tokens();
    assert.match(spell(tokens), /store_level \( level \+ 1 \)/);
    assert.equal(new Set(tokens.map((t) => t.file)).size, 2);
    everyTokenStandsInTheText(unit);
  });

  it('applies the mails of an mbox one after the other', () => {
    const second = withFunction().replace('return -22', 'return -33');
    const unit = loadPatch(mail(DIFF) + mail(gitDiff('svm/sev.c', withFunction(), second)), { bases });
    assert.match(spell(functionNamed(unit, 'make_shared').tokens()), /return - 33/);
    assert.deepEqual(messages(unit), []);
  });

  it('reports a hunk that fits nowhere and applies the others', () => {
    const text = BASE.replace('store_level', 'another')
      .replace('return level', 'return other')
      .replace('Another', 'One more')
      .replace('within', 'in');
    const unit = loadPatch(DIFF + gitDiff('svm/sev.c', BASE, BASE.replace('.b = b,', '.b = c,'), 1), {
      bases: new Map([['svm/sev.c', { path: 'x.c', text }]]),
    });
    assert.equal(unit.problems.length, 1);
    assert.match(messages(unit)[0], /does not fit `svm\/sev.c`/);
    assert.match(at(unit, unit.problems[0].origin), /^@@ /);
    assert.match(unit.items.map((i) => spell(i.tokens())).join(), /\. b = c/);
  });
});

describe('a damaged patch', () => {
  const lines = DIFF.split('\n');
  const added = lines.findIndex((l) => l.includes('pfn % 2'));

  it('with CRLF line ends is read, and told so once where it begins', () => {
    const unit = loadPatch(mail(DIFF).replaceAll('\n', '\r\n'));
    assert.equal(spell(functionNamed(unit, 'make_shared').tokens()), FUNCTION);
    assert.deepEqual(
      unit.problems.map((p) => [p.rule, p.severity]),
      [['PATCH', 'information']],
    );
    assert.match(messages(unit)[0], /CR LF/);
    everyTokenStandsInTheText(unit);
  });

  it('with trailing blanks trimmed is read without a word', () => {
    const unit = loadPatch(mail(DIFF).replace(/[ \t]+$/gm, ''));
    assert.deepEqual(functions(unit), ['make_shared']);
    assert.deepEqual(messages(unit), []);
  });

  it('with the marker of context lines lost is read, and told so', () => {
    const unit = loadPatch(mail(DIFF).replace(/^ \t/gm, '\t'));
    assert.deepEqual(functions(unit), ['make_shared']);
    assert.match(messages(unit).join(), /white space of this patch was changed/);
    assert.equal(unit.problems.length, 1);
  });

  it('with a long line wrapped is read, and told where', () => {
    const wrapped = lines.with(added, lines[added].replace(' && ', '\n&& ')).join('\n');
    const unit = loadPatch(wrapped);
    assert.equal(spell(functionNamed(unit, 'make_shared').tokens()), FUNCTION);
    assert.match(messages(unit).join(), /no marker/);
    assert.match(at(unit, unit.problems[0].origin), /^&& pfn % 2/);
  });

  it('edited by hand, one line longer than its count, still gives the function', () => {
    const unit = loadPatch(mail(lines.toSpliced(added, 0, '+\tx();', '+\ty();').join('\n')));
    assert.match(
      spell(functionNamed(unit, 'make_shared').tokens()),
      /x \( \) ; y \( \) ; if .* return get_level \( pfn \) ; \}/,
    );
  });

  it('edited by hand, with the function at the hunk end, still gives the function and says that the counts are wrong', () => {
    const diff = gitDiff('svm/sev.c', 'int a;\n', `int a;\n${ADDED_FUNCTION}`);
    const unit = loadPatch(mail(diff.replace('+\treturn get', '+\tx();\n+\ty();\n+\treturn get')));
    assert.match(
      spell(functionNamed(unit, 'make_shared').tokens()),
      /x \( \) ; y \( \) ; return get_level \( pfn \) ; \}/,
    );
    assert.match(messages(unit).join(), /longer than its header says/);
    assert.equal(unit.problems[0].severity, 'warning');
  });

  it('edited by hand, one line shorter, does not take the signature for a removed line', () => {
    const unit = loadPatch(
      mail(
        lines
          .toSpliced(added, 1, '+\tif (level) {')
          .toSpliced(added - 1, 1)
          .join('\n'),
      ),
    );
    assert.deepEqual(functions(unit), ['make_shared']);
    assert.match(messages(unit).join(), /cut short/);
    assert.match(at(unit, unit.problems[0].origin), /^@@ /);
  });

  it('cut off at the end says so, and drops what is incomplete', () => {
    const unit = loadPatch(lines.slice(0, added + 1).join('\n'));
    assert.deepEqual(functions(unit), []);
    assert.match(messages(unit).join(), /cut short/);
  });

  it('quoted in a reply is refused with advice', () => {
    const unit = loadPatch(reply(DIFF));
    assert.deepEqual(unit.items, []);
    assert.match(messages(unit).join(), /quoted/);
  });

  it('without any diff is refused', () => {
    const unit = loadPatch('From: x\nSubject: y\n\nNothing here.\n');
    assert.deepEqual(messages(unit), ['No diff is found in this text: there is no line `@@ -… +… @@` of a hunk.']);
    assert.equal(loadPatch('').problems.length, 1);
  });

  it('that changes no C says so', () => {
    assert.match(messages(loadPatch(gitDiff('Makefile', 'a\n', 'b\n'))).join(), /no C file/);
  });

  it('of a merge is refused', () => {
    assert.match(
      messages(loadPatch('diff --cc a.c\n--- a/a.c\n+++ b/a.c\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n++b\n')).join(),
      /combined diff/,
    );
  });

  it('in quoted-printable says how to save it', () => {
    const text = mail(DIFF).replace('\n\nThis', '\nContent-Transfer-Encoding: quoted-printable\n\nThis');
    assert.match(messages(loadPatch(text)).join(), /encoded form/);
  });

  it('with an unclosed string in a function it adds says where', () => {
    const unit = loadPatch(DIFF.replace('\\n", __func__', '\\n, __func__'));
    assert.match(messages(unit).join(), /string is not closed/);
    assert.match(at(unit, unit.problems[0].origin), /^"%s/);
  });
});

describe('what a text is decides how it is read', () => {
  it('C given as a patch is used as C', () => {
    const unit = loadPatch(BASE);
    assert.deepEqual(functions(unit), ['get_level']);
    assert.deepEqual([unit.form, unit.problems[0].severity], ['c', 'warning']);
  });

  it('a patch given as C is used as a patch', () => {
    const unit = loadPatch(mail(DIFF), { kind: 'source' });
    assert.deepEqual(functions(unit), ['make_shared']);
    assert.match(messages(unit)[0], /holds a patch/);
  });
});
