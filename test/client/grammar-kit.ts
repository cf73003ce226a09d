// The TextMate grammar, run by the engine that VS Code runs it with.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';

const grammarFile = join(import.meta.dirname, '../../client/syntaxes/snpscenario.tmLanguage.json');

export async function loadGrammar(): Promise<textmate.IGrammar> {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm');
  await oniguruma.loadWASM((await readFile(wasm)).buffer as ArrayBuffer);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(await readFile(grammarFile, 'utf8'), grammarFile),
  });
  const grammar = await registry.loadGrammar('source.snpscenario');
  assert.ok(grammar);
  return grammar;
}

let loaded: Promise<textmate.IGrammar> | undefined;

/** The innermost scope of every character, by line. */
export async function scopesOf(text: string): Promise<string[][]> {
  loaded ??= loadGrammar();
  const grammar = await loaded;
  let state = textmate.INITIAL;
  return text.split(/\r?\n/).map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    const scopes: string[] = [];
    for (const { startIndex, endIndex, scopes: all } of tokens) {
      for (let i = startIndex; i < endIndex; i++) scopes[i] = (all.at(-1) as string).replaceAll('.snpscenario', '');
    }
    return scopes;
  });
}
