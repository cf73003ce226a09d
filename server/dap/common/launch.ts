// `launch`: what is to be run and how, out of arguments that may be anything; and the session that comes of it.

import type { CheckerOptions, FileHost } from '../../../engine/check.ts';
import { type LaunchOptions, launchOptions } from '../../../engine/debug/launch-options.ts';
import { openSession } from '../../../engine/debug/open-session.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { resolveUri } from '../../common/uri.ts';
import type { Client } from './client.ts';
import type { DebugPlatform, LaunchArguments } from './platform.ts';
import { type Args, flag, isObject, optionalText, RequestError, text, texts } from './requests.ts';

/** `launch` as it is kept for `restart`: arguments that have been looked at, and the program as a URI. */
export interface Launch extends Omit<LaunchArguments, 'options'> {
  uri: string;
  options: LaunchOptions;
  patches: string[];
  sources: string[];
  stopOnEntry: boolean;
  stopAtEnd: boolean;
  noDebug: boolean;
}

export function launchOf(args: Args, client: Client): Launch {
  const program = text(args, 'program');
  const scenario = optionalText(args, 'scenario');
  const kernel = optionalText(args, 'kernel');
  const given = args.options ?? {};
  if (!isObject(given)) throw new RequestError('The argument options must be an object of names and values.');
  const options = launchOptions(given);
  if ('error' in options) throw new RequestError(options.error);
  return {
    program,
    uri: client.sources.fileFromClient(program),
    ...(scenario === undefined ? {} : { scenario }),
    ...(kernel === undefined ? {} : { kernel }),
    patches: texts(args, 'patches'),
    sources: texts(args, 'sources'),
    options,
    stopOnEntry: flag(args, 'stopOnEntry'),
    stopAtEnd: args.stopAtEnd !== false,
    noDebug: flag(args, 'noDebug'),
  };
}

/** Throws a RequestError with what is wrong with the files. */
export function openLaunch(launch: Launch, platform: DebugPlatform, client: Client): DebugSession {
  const { program, uri, scenario, kernel, patches, sources, options: hostOptions } = launch;
  const read = platform.readFile(uri);
  if ('error' in read) throw new RequestError(`${program} cannot be read: ${read.error}.`);
  const host: FileHost = {
    resolve: (from, relative) => resolveUri(from, relative) ?? relative,
    read: (file) => platform.readFile(file),
  };
  const named = (kind: 'patch' | 'source') => (path: string) => ({ kind, path: host.resolve(uri, path) });
  const options: CheckerOptions = {
    overrides: [...patches.map(named('patch')), ...sources.map(named('source'))],
    ...(kernel === undefined ? {} : { kernel }),
  };
  const session = openSession(
    { path: uri, text: read.text, host, options, hostOptions, ...(scenario === undefined ? {} : { scenario }) },
    {
      log: (line) => client.output(`${line}\n`, 'console'),
      printk: (line, location) => client.output(`${line}\n`, 'stdout', location),
      finding: (finding, severity, line, location) =>
        client.output(`${severity} ${finding.rule}: ${line}\n`, severity === 'error' ? 'stderr' : 'console', location),
    },
  );
  if ('error' in session) throw new RequestError(session.error);
  if (launch.noDebug) session.filters.clear();
  return session;
}
