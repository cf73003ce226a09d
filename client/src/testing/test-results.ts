// What the server says of a scenario, as the Test Explorer shows it: state, messages at their lines, a line of output.

import { Location, type TestItem, TestMessage, TestMessageStackFrame, type TestRun, Uri } from 'vscode';
import type { ScenarioProblem, ScenarioResult } from '../../../server/common/protocol.ts';
import { toRange } from './test-tree.ts';

export function show(run: TestRun, item: TestItem, result: ScenarioResult, milliseconds: number): void {
  const why = result.problems.filter(({ fails }) => fails).map(toMessage);
  if (result.status === 'passed') run.passed(item, milliseconds);
  else if (result.status === 'failed') run.failed(item, why, milliseconds);
  else run.errored(item, why.length > 0 ? why : [new TestMessage('The scenario could not be run.')], milliseconds);
  run.appendOutput(outputOf(item, result, milliseconds), undefined, item);
}

function toMessage(problem: ScenarioProblem): TestMessage {
  const { rule, message, expected, actual, uri, range, related } = problem;
  const text = `${rule}: ${message}`;
  const shown =
    expected !== undefined && actual !== undefined ? TestMessage.diff(text, expected, actual) : new TestMessage(text);
  shown.location = new Location(Uri.parse(uri), toRange(range));
  // Where it comes from: the C that did it, the step that it follows from.
  if (related.length > 0) {
    shown.stackTrace = [{ message: 'this step', uri, range }, ...related].map(
      (frame) => new TestMessageStackFrame(frame.message, Uri.parse(frame.uri), toRange(frame.range).start),
    );
  }
  return shown;
}

const words = { passed: 'PASS', failed: 'FAIL', error: 'ERROR' };

/** Lines end as a terminal's do. */
function outputOf(item: TestItem, { status, steps, problems }: ScenarioResult, milliseconds: number): string {
  const count = `${steps} step${steps === 1 ? '' : 's'}`;
  const lines = [`${words[status]}  ${item.label}  (${count}, ${milliseconds.toFixed(1)} ms)`];
  for (const { rule, message, uri, range, fails } of problems) {
    const file = uri.slice(uri.lastIndexOf('/') + 1);
    lines.push(
      `      ${decodeURIComponent(file)}:${range.start.line + 1}  ${rule}${fails ? '' : ' (note)'}: ${message}`,
    );
  }
  return lines.map((line) => `${line.replace(/\r?\n/g, '\r\n')}\r\n`).join('');
}
