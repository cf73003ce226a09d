// The debug adapter inside an editor's extension host, in Node or in a browser: messages are passed as objects, and what is open in the editor wins
// over what the platform can read.

import { canonicalUri } from '../../common/uri.ts';
import { DebugAdapter } from './adapter.ts';
import type { DebugPlatform } from './platform.ts';

export interface InlineAdapter {
  receive(message: unknown): void;
  dispose(): void;
}

/** @param openText the text of a document that is open in the editor; undefined for any other */
export function createInlineAdapter(
  platform: DebugPlatform,
  send: (message: object) => void,
  openText: (uri: string) => string | undefined,
): InlineAdapter {
  const readFile = (uri: string) => {
    const text = openText(canonicalUri(uri));
    return text === undefined ? platform.readFile(uri) : { text };
  };
  return new DebugAdapter(send, { ...platform, readFile }, { modelSources: 'uri' });
}
