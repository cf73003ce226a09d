// `--format json`: documented in docs/json-report.md and docs/json-report.schema.json, and kept stable.

import type { Location, Range } from '../../../engine/base/diagnostic.ts';
import { type CheckedFile, type Report, type Reporter, summarize } from './report.ts';

/** @param show the path of a location as the report spells it */
export function jsonReporter(write: (text: string) => void, show: (path: string) => string): Reporter {
  return {
    file: () => {},
    error: () => {},
    end: (report) => write(`${JSON.stringify(toJson(report, show))}\n`),
  };
}

function toJson(report: Report, show: (path: string) => string) {
  return {
    version: 1,
    files: report.files.map((checked) => fileToJson(checked, show)),
    summary: summarize(report),
    errors: report.errors.map(({ path, kind, message }) => ({ path, kind, message })),
  };
}

function fileToJson({ file, result }: CheckedFile, show: (path: string) => string) {
  const place = ({ path, range }: Location) => ({ file: show(path), range: rangeToJson(range) });
  return {
    path: file.shown,
    diagnostics: result.diagnostics.map(({ rule, spec, severity, message, location, related }) => ({
      rule,
      spec,
      severity,
      message,
      ...place(location),
      related: related.map((note) => ({ message: note.message, ...place(note.location) })),
    })),
    scenarios: result.scenarios.map(({ name, status, steps, range }) => ({
      name,
      status,
      steps,
      range: rangeToJson(range),
    })),
  };
}

function rangeToJson({ start, end }: Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
