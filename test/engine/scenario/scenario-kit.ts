/** What the tests of the scenario language share: files in memory, problems by line, programs as comparable data. */

import { LineIndex } from '../../../engine/base/line-index.ts';
import type { FileHost } from '../../../engine/check.ts';
import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import type { Problem, ScenarioUnit, Step } from '../../../engine/scenario/program.ts';

export const PATH = 'main.snpscenario';

/** Files by name; the folder is flat. */
export function files(texts: Readonly<Record<string, string>> = {}): FileHost {
  return {
    resolve: (_from, relative) => relative,
    read: (path) => (path in texts ? { text: texts[path] } : { error: 'no such file' }),
  };
}

export const check = (text: string, others: Readonly<Record<string, string>> = {}): Analysis =>
  analyze(PATH, text, files(others));

/** A guest and a scenario around some steps. The first step is on line 6, counted from 1. */
export const scenario = (...steps: string[]): string =>
  [
    'guest g {',
    '  vcpus 2',
    '  slot 0 gpa 0..1G private folio 2M pfn 0x40000',
    '}',
    'scenario "s" {',
    ...steps.map((step) => `  ${step}`),
    '}',
    '',
  ].join('\n');

export const steps = (unit: ScenarioUnit): Step[] => unit.code.filter((i): i is Step => i.kind === 'step');

/** Every problem of the document, in order of its place, as `line RULE message`; places in other files are left out. */
export function problems(analysis: Analysis): string[] {
  return located(analysis).map(({ line, problem }) => `${line} ${problem.rule} ${problem.message}`);
}

export function located(analysis: Analysis): { line: number; start: number; end: number; problem: Problem }[] {
  const lines = new LineIndex(analysis.text);
  const all: { problem: Problem; base: number }[] = analysis.program.problems.map((problem) => ({ problem, base: 0 }));
  for (const unit of analysis.program.scenarios) {
    for (const problem of unit.problems) all.push({ problem, base: unit.start });
  }
  return all
    .filter(({ problem }) => problem.span.file === undefined)
    .map(({ problem, base }) => {
      const start = problem.span.start + base;
      return { line: lines.position(start).line + 1, start, end: problem.span.end + base, problem };
    })
    .sort((a, b) => a.start - b.start);
}

/** The text that a problem underlines. */
export const underlined = (analysis: Analysis): string[] =>
  located(analysis).map(({ start, end }) => analysis.text.slice(start, end));

/** What the first fix of each problem would make of the underlined text. */
export const fixes = (analysis: Analysis): string[] =>
  located(analysis).flatMap(
    ({ problem }) => (problem.data as { fixes: { replacement: string }[] } | undefined)?.fixes[0].replacement ?? [],
  );

/** A program as plain data, to be compared. */
export function plain(analysis: Analysis): unknown {
  return JSON.parse(
    JSON.stringify(analysis.program, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  );
}
