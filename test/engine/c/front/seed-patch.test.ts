/** The patch the product is shown with, as the mailing list has it. It is not part of this repository: SNP_PATCH_DIR says where it is. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { at, functionNamed, functions, type Loaded, loadPatch, messages, spell } from './front.ts';

const folder = process.env.SNP_PATCH_DIR;
const NAME = /^0048-.*mem-attr-updates.*\.txt$/;

function seed(): { text: string; unit: Loaded } | undefined {
  if (folder === undefined || !existsSync(folder)) return undefined;
  const name = readdirSync(folder).find((n) => NAME.test(n));
  if (name === undefined) return undefined;
  const text = readFileSync(join(folder, name), 'utf8');
  return { text, unit: loadPatch(text) };
}

describe('RFC v8 48/56 as its archive page', () => {
  const found = seed();
  const check = (name: string, test: (text: string, unit: Loaded) => void) =>
    it(name, (t) => {
      if (found === undefined) t.skip('SNP_PATCH_DIR not set');
      else test(found.text, found.unit);
    });

  check('is a page with nothing wrong in it', (_, unit) => {
    assert.equal(unit.form, 'page');
    assert.deepEqual(messages(unit), []);
    assert.deepEqual(unit.modified, []);
  });

  check('brings three functions and a prototype, whole', (_, unit) => {
    assert.deepEqual(functions(unit), ['snp_make_page_shared', 'order_to_level', 'sev_update_mem_attr']);
    assert.ok(unit.items.every((i) => i.whole));
    assert.deepEqual(
      unit.items.filter((i) => i.kind === 'declaration').map((i) => at(unit, i.origin).slice(0, 23)),
      ['int sev_update_mem_attr'],
    );
  });

  check('has every token where the patch has it', (_, unit) => {
    for (const item of unit.items)
      for (const token of item.tokens()) if (token.kind !== 'end') assert.equal(at(unit, token), token.text);
  });

  check('has the functions from the first to the last of their added lines', (text, unit) => {
    for (const [name, first, last] of [
      ['snp_make_page_shared', 'static int snp_make_page_shared(', 'return rmp_make_shared(pfn, level);\n+}'],
      ['order_to_level', 'static inline u8 order_to_level(', 'return PG_LEVEL_4K;\n+}'],
      ['sev_update_mem_attr', 'int sev_update_mem_attr(', 'return 0;\n+}'],
    ]) {
      const { origin } = functionNamed(unit, name);
      assert.ok(at(unit, origin).startsWith(first));
      assert.ok(at(unit, origin).endsWith(last));
      assert.equal(text[origin.start - 1], '+');
    }
  });

  check('reads the same from a text with CRLF', (text, unit) => {
    const windows = loadPatch(text.replaceAll('\n', '\r\n'));
    assert.deepEqual(
      windows.items.map((i) => spell(i.tokens())),
      unit.items.map((i) => spell(i.tokens())),
    );
  });

  check('cut off anywhere never throws and never gives half a function', (text, unit) => {
    for (let cut = 0; cut < text.length; cut += 211) {
      for (const item of loadPatch(text.slice(0, cut)).items) {
        if (item.name !== undefined) assert.equal(spell(item.tokens()), spell(functionNamed(unit, item.name).tokens()));
      }
    }
  });
});
