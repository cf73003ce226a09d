/** The two scenarios of each invariant: one that violates it and one that comes close, in `scenarios/<RULE>.{violates,near}.snpscenario`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileHost } from '../../../engine/check.ts';
import { createChecker } from '../../../engine/checker.ts';
import type { RuleExample } from '../../../engine/invariants/reference.ts';
import { finish, lines } from '../run/check-text.ts';

const folder = fileURLToPath(new URL('scenarios/', import.meta.url));

const host: FileHost = {
  resolve: (_from, relative) => join(folder, relative),
  read: (path) => (existsSync(path) ? { text: readFileSync(path, 'utf8') } : { error: 'no such file' }),
};
const checker = createChecker(host);

/** The scenario of a rule and what the checker says of it; undefined if there is none. */
export function ruleScenario(rule: string, kind: 'violates' | 'near'): RuleExample | undefined {
  const path = join(folder, `${rule}.${kind}.snpscenario`);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  const result = finish(checker, path, text);
  const files: Record<string, string> = {};
  for (const [, name] of text.matchAll(/^use source "([^"]+)"/gm))
    files[name] = readFileSync(join(folder, name), 'utf8');
  return { text, files, diagnostics: lines(result) };
}
