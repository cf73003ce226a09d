/** From a file's text to a session that stands at the beginning of one of its scenarios, or to what keeps it from running. */
import type { CheckerOptions, FileHost } from '../check.ts';
import { EnvironmentCache } from '../run/environment.ts';
import { Placer } from '../run/report.ts';
import { analyze } from '../scenario/analyze.ts';
import type { LaunchOptions } from './launch-options.ts';
import { DebugSession, type SessionEvents } from './session.ts';

export interface SessionTarget {
  path: string;
  text: string;
  /** Name of the scenario; the first one without it. */
  scenario?: string;
  host: FileHost;
  options?: CheckerOptions;
  /** Options of the host, over those that the file sets. */
  hostOptions?: LaunchOptions;
}

/** What went wrong before anything could run, one message a line. */
export interface CannotRun {
  error: string;
}

export function openSession(target: SessionTarget, events: SessionEvents): DebugSession | CannotRun {
  const { path, text, host } = target;
  const analysis = analyze(path, text, host);
  const { program } = analysis;
  const placer = new Placer(path, text, program);
  const wrong = program.problems.find((problem) => problem.severity === 'error');
  if (wrong !== undefined)
    return { error: `Line ${placer.span(wrong.span, 0).range.start.line + 1}: ${wrong.message}` };
  // Later ones hold.
  for (const { name, value } of target.hostOptions ?? [])
    program.host.options.push({ name, value, span: { start: 0, end: 0 } });
  const { environment, problems } = new EnvironmentCache().get(path, program, host, target.options ?? {});
  if (problems.length > 0) return { error: problems.map(({ message }) => message).join('\n') };
  const index = target.scenario === undefined ? 0 : program.scenarios.findIndex(({ name }) => name === target.scenario);
  const unit = program.scenarios[index];
  if (unit === undefined) {
    const known = program.scenarios.map(({ name }) => JSON.stringify(name)).join(', ');
    return {
      error:
        target.scenario === undefined
          ? 'There is no scenario in this file.'
          : `There is no scenario ${JSON.stringify(target.scenario)} in this file.${known === '' ? '' : ` It has ${known}.`}`,
    };
  }
  const broken = unit.problems.find((problem) => problem.severity === 'error');
  if (broken !== undefined)
    return { error: `Line ${placer.span(broken.span, unit.start).range.start.line + 1}: ${broken.message}` };
  return new DebugSession(target, analysis, index, environment, events);
}
