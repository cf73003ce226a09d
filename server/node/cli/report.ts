// What `check` found, before it is text or JSON.

import type { CheckResult } from '../../../engine/check.ts';
import type { FileError, FoundFile } from './find-files.ts';

export interface CheckedFile {
  file: FoundFile;
  result: CheckResult;
}

export interface ReportedError extends FileError {
  /** `input`: what the user named cannot be read. `internal`: a bug of ours. */
  kind: 'input' | 'internal';
}

export interface Summary {
  passed: number;
  failed: number;
  errors: number;
}

export interface Report {
  /** In order of the command line. */
  files: CheckedFile[];
  errors: ReportedError[];
}

export interface Reporter {
  file(checked: CheckedFile): void;
  error(error: ReportedError): void;
  end(report: Report): void;
}

/** Scenarios by their status. */
export function summarize(report: Report): Summary {
  const summary: Summary = { passed: 0, failed: 0, errors: 0 };
  for (const { result } of report.files) {
    for (const { status } of result.scenarios) summary[status === 'error' ? 'errors' : status] += 1;
  }
  return summary;
}

/** Whether all that a file claims holds: every scenario passed, and no diagnostic is an error. */
export function holds({ result }: CheckedFile): boolean {
  return (
    result.scenarios.every(({ status }) => status === 'passed') &&
    result.diagnostics.every(({ severity }) => severity !== 'error')
  );
}

/** 0 all hold, 1 a scenario fails, 2 unreadable input, 3 our own bug; the worst one counts. */
export function exitCode(report: Report): 0 | 1 | 2 | 3 {
  if (report.errors.some(({ kind }) => kind === 'internal')) return 3;
  if (report.errors.length) return 2;
  return report.files.every(holds) ? 0 : 1;
}
