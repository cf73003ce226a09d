// The debug adapter as a process: `snp-scenario dap`. It ends with its client: 0 after `disconnect`, 1 when the client is gone without.

import type { Message } from 'vscode-languageserver';
import { FrameReader, FrameWriter } from '../../node/frames.ts';
import { DebugAdapter } from '../common/adapter.ts';
import { nodePlatform } from './platform.ts';

export function startDebugAdapter(): void {
  const write = process.stdout.write.bind(process.stdout);
  // stdout is the protocol's: whatever else writes there means stderr.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  for (const name of ['log', 'info', 'debug', 'dir', 'table', 'group'] as const) console[name] = console.error;
  const end = (code: number) => process.exit(code);
  process.stdout.on('error', () => end(1));
  process.stdin.on('error', () => end(1));
  process.stdin.on('end', () => end(1));

  const writer = new FrameWriter((text, done) => write(text, done));
  let last: Promise<void> = Promise.resolve();
  const adapter = new DebugAdapter(
    // Messages of both protocols are JSON in the same frames.
    (message) => {
      last = writer.write(message as unknown as Message).catch(() => {});
    },
    nodePlatform,
    { modelSources: 'reference' },
    // The answer to `disconnect` goes out first.
    () => void last.then(() => end(0)),
  );
  const reader = new FrameReader(process.stdin, (what) => process.stderr.write(`Ignored: ${what}\n`));
  reader.listen((message) => adapter.receive(message));
}
