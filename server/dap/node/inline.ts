// The debug adapter inside VS Code's extension host: a bundle of its own, loaded when the first session starts. What is exported is what the client
// needs to know of it (client/src/debug.ts).

import { canonicalUri } from '../../common/uri.ts';
import { DebugAdapter } from '../common/adapter.ts';
import { nodePlatform } from './platform.ts';

export interface InlineAdapter {
  receive(message: unknown): void;
  dispose(): void;
}

/** @param openText the text of a document that is open in the editor; undefined for any other */
export function createAdapter(
  send: (message: object) => void,
  openText: (uri: string) => string | undefined,
): InlineAdapter {
  return new DebugAdapter(
    send,
    {
      ...nodePlatform,
      readFile: (uri) => {
        const text = openText(canonicalUri(uri));
        return text === undefined ? nodePlatform.readFile(uri) : { text };
      },
    },
    { modelSources: 'uri' },
  );
}
