import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splice } from '../../../../engine/c/source.ts';
import { SourceMap } from '../../../../engine/c/source-map.ts';
import { tokenize } from '../../../../engine/c/tokenize.ts';
import { tokenizeText } from './front.ts';

const spellings = (text: string) =>
  tokenizeText(text)
    .tokens.map((t) => t.text)
    .slice(0, -1);
const kinds = (text: string) =>
  tokenizeText(text)
    .tokens.map((t) => t.kind)
    .slice(0, -1);

describe('C11 6.4: preprocessing tokens', () => {
  it('takes the longest punctuator: a+++b is a ++ + b', () => {
    assert.deepEqual(spellings('a+++b<<=c>>d->e...f..g'), [
      'a',
      '++',
      '+',
      'b',
      '<<=',
      'c',
      '>>',
      'd',
      '->',
      'e',
      '...',
      'f',
      '.',
      '.',
      'g',
    ]);
  });

  it('knows every punctuator of 6.4.6', () => {
    const all =
      '[ ] ( ) { } . -> ++ -- & * + - ~ ! / % << >> < > <= >= == != ^ | && || ? : ; ... = *= /= %= += -= <<= >>= &= ^= |= , # ##'.split(
        ' ',
      );
    assert.deepEqual(spellings(all.join(' ')), all);
    assert.ok(kinds(all.join(' ')).every((k) => k === 'punctuator'));
  });

  it('spells digraphs as what they mean, where they stand', () => {
    const { tokens } = tokenizeText('<:%>');
    assert.deepEqual(
      tokens.slice(0, 2).map((t) => [t.text, t.start, t.end]),
      [
        ['[', 0, 2],
        ['}', 2, 4],
      ],
    );
  });

  it('keeps suffixes and exponents in the number', () => {
    assert.deepEqual(spellings('0x1fULL 1e+5 .5f 0x1p-3 1U<<2 5.'), [
      '0x1fULL',
      '1e+5',
      '.5f',
      '0x1p-3',
      '1U',
      '<<',
      '2',
      '5.',
    ]);
  });

  it('keeps strings and character constants undecoded, with their prefix', () => {
    const text = String.raw`"a\"b" L"w" '\'' u8"x" L'c' Lx "a" "b"`;
    assert.deepEqual(spellings(text), ['"a\\"b"', 'L"w"', "'\\''", 'u8"x"', "L'c'", 'Lx', '"a"', '"b"']);
    assert.deepEqual(kinds(text), [
      'string',
      'string',
      'character',
      'string',
      'character',
      'identifier',
      'string',
      'string',
    ]);
  });

  it('sees a comment as white space, which does not end the line', () => {
    const [a, hash, b] = tokenizeText('a /* x\ny */ # // z\nb').tokens;
    assert.equal(hash.lineStart, false);
    assert.equal(hash.spaceBefore, true);
    assert.ok(a.lineStart && b.lineStart && !b.spaceBefore);
  });

  it('reads a name that a backslash-newline breaks in two as one, from its first to its last character', () => {
    const text = 'in\\\nt x; // c \\\n still\ny';
    const { tokens } = tokenize(splice({ text, map: SourceMap.identity(3) }));
    assert.deepEqual(
      tokens.map((t) => t.text),
      ['int', 'x', ';', 'y', ''],
    );
    assert.deepEqual([tokens[0].start, tokens[0].end], [0, 5]);
    assert.equal(text.slice(tokens[3].start, tokens[3].end), 'y');
    assert.ok(tokens.every((t) => t.file === 3));
  });

  it('ends an unclosed string at its line and says so', () => {
    const { tokens, faults } = tokenizeText('f("abc);\nint x;');
    assert.deepEqual(
      tokens.map((t) => t.text),
      ['f', '(', '"abc);', 'int', 'x', ';', ''],
    );
    assert.match(faults.get(tokens[2])?.message ?? '', /string is not closed/);
  });

  it('ends an unclosed comment with the text and says where it began', () => {
    const { tokens, faults } = tokenizeText('int x; /* never');
    const end = tokens[tokens.length - 1];
    assert.deepEqual(
      tokens.map((t) => t.text),
      ['int', 'x', ';', ''],
    );
    assert.deepEqual(faults.get(end)?.origin, { file: 0, start: 7, end: 9 });
  });
});

describe('tokens and comments', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/*',
      '*/',
      '//',
      '"',
      "'",
      '\\',
      '\n',
      '\r\n',
      ' ',
      '\t',
      '#',
      '##',
      'L"',
      '%:',
      '...',
      '->',
      '@',
      '`',
      'é',
      '0x',
      '1e+',
      '\\\n',
      'abc',
      '_x9',
      '12',
      '{',
      '}',
      '(',
      ')',
    ),
    fc.string({ maxLength: 4 }),
  );
  const anyText = fc.array(piece, { maxLength: 60 }).map((p) => p.join(''));

  it('cover every character that is not blank, in order and without overlap', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { tokens, comments } = tokenize({ text, map: SourceMap.identity(0) }, { comments: true });
        const covered = new Uint8Array(text.length);
        let last = 0;
        for (const t of tokens) {
          assert.ok(t.start >= last && t.end >= t.start);
          last = t.end;
          covered.fill(1, t.start, t.end);
        }
        for (const c of comments ?? []) covered.fill(1, c.start, c.end);
        for (let i = 0; i < text.length; i++)
          if (/[^\s\0\u200b]/.test(text[i])) assert.equal(covered[i], 1, `character ${i} of ${JSON.stringify(text)}`);
      }),
      { numRuns: 500 },
    );
  });

  it('are the same with a backslash-newline put anywhere', () => {
    fc.assert(
      fc.property(
        anyText.filter((t) => !/[\\\r]/.test(t)),
        fc.nat(),
        (text, where) => {
          const cut = where % (text.length + 1);
          const broken = `${text.slice(0, cut)}\\\n${text.slice(cut)}`;
          const whole = tokenizeText(text).tokens;
          const parts = tokenize(splice({ text: broken, map: SourceMap.identity(0) })).tokens;
          assert.deepEqual(
            parts.map((t) => t.text),
            whole.map((t) => t.text),
          );
          parts.forEach((t, i) => {
            assert.equal(t.start, whole[i].start + (whole[i].start >= cut ? 2 : 0));
            assert.equal(
              t.end,
              whole[i].end + (whole[i].end > cut || (whole[i].kind === 'end' && whole[i].end >= cut) ? 2 : 0),
            );
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a source map', () => {
  it('composes: the splice of a cut of a text still points into the text', () => {
    const inner = new SourceMap();
    inner.append(0, 1, 100);
    inner.append(10, 2, 500);
    const outer = new SourceMap();
    outer.appendMapped(0, inner, 5, 8);
    outer.appendMapped(3, inner, 9, 20);
    const place = (v: number) => [outer.file(v), outer.offset(v)];
    assert.deepEqual([0, 2, 3, 4, 5].map(place), [
      [1, 105],
      [1, 107],
      [1, 109],
      [2, 500],
      [2, 501],
    ]);
  });

  it('ends a range at the seam between two files', () => {
    const map = new SourceMap();
    map.append(0, 1, 100);
    map.append(4, 2, 0);
    assert.deepEqual(map.range(1, 6), { file: 1, start: 101, end: 104 });
    assert.deepEqual(map.range(4, 6), { file: 2, start: 0, end: 2 });
  });
});
