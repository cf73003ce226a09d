// `exceptionInfo`: what is known of the fault, failure or violated rule that stopped the run, and the chain of changes that led to it.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { causesOf, describeEvent } from '../../../engine/debug/event-text.ts';
import { exceptionFilters } from '../../../engine/debug/exceptions.ts';
import type { Stop } from '../../../engine/debug/motion.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import type { Client } from './client.ts';
import { stepOf } from './page-rows.ts';
import { RequestError } from './requests.ts';

export function exceptionInfo(
  session: DebugSession,
  stop: Stop | undefined,
  client: Client,
): DebugProtocol.ExceptionInfoResponse['body'] {
  if (stop?.reason !== 'exception' || stop.filter === undefined)
    throw new RequestError('It did not stop at an exception.');
  const filter = exceptionFilters.find(({ id }) => id === stop.filter);
  const finding = stop.finding === undefined ? undefined : session.run.findings[stop.finding];
  // `rule:TERM`, `fault:#NPF`, `failed`.
  const name = finding?.rule ?? stop.filter.replace(/^\w+:/, '');
  const site = finding?.site ?? (finding?.event === undefined ? undefined : session.machine.siteOfEvent(finding.event));
  const frames = site === undefined ? [] : session.machine.framesOf(site);
  const cause = finding?.event ?? finding?.since ?? stop.event ?? lastChangeAtHand(session);
  const why = causesOf(session.machine, cause).map(
    (e) => `${stepOf(session, e)}: ${describeEvent(session.machine, e)}`,
  );
  const trace = frames.map(
    ({ function: name, location }) =>
      `at ${name}() (${client.sources.toClient(location.path).name}:${location.range.start.line + 1})`,
  );
  return {
    exceptionId: name,
    description: stop.text ?? '',
    breakMode: 'always',
    details: {
      ...(stop.text === undefined ? {} : { message: stop.text }),
      typeName: name,
      fullTypeName: filter?.description ?? stop.filter,
      stackTrace: [
        ...trace,
        ...(why.length === 0 ? [] : ['how it came to be so, newest first:', ...why.map((line) => `  ${line}`)]),
      ].join('\n'),
    },
  };
}

/** The last change of the page that the step was about: what is known when a rule names no event. */
function lastChangeAtHand(session: DebugSession): number {
  const { pfn } = session.pageAtHand(undefined);
  const { rmp } = session.machine.hardware;
  return pfn !== undefined && rmp.covers(pfn) ? rmp.lastChange(pfn) : -1;
}
