/** Check scenario text in memory, for tests. */
import type { Checker, CheckerOptions, CheckResult, FileHost } from '../../../engine/check.ts';
import { createChecker } from '../../../engine/checker.ts';

/** A host over an object of files by path. */
export function memoryHost(files: Readonly<Record<string, string>> = {}): FileHost {
  return {
    resolve: (_from, relative) => relative,
    read: (path) => (path in files ? { text: files[path] } : { error: 'no such file' }),
  };
}

export function finish(
  checker: Checker,
  path: string,
  text: string,
  options?: CheckerOptions,
  slice = 1e9,
): CheckResult {
  const check = checker.start(path, text, options);
  while (!check.advance(slice)) {}
  return check.result();
}

export function checkText(
  text: string,
  files?: Readonly<Record<string, string>>,
  options?: CheckerOptions,
): CheckResult {
  return finish(createChecker(memoryHost(files)), 'test.snpscenario', text, options);
}

/** One line for each diagnostic: `4:2 error ORDER message`. */
export function lines(result: CheckResult): string[] {
  return result.diagnostics.map((d) => {
    const { start } = d.location.range;
    const file = d.location.path === result.path ? '' : `${d.location.path.split('/').pop()}:`;
    return `${file}${start.line + 1}:${start.character + 1} ${d.severity} ${d.rule} ${d.message}`;
  });
}
