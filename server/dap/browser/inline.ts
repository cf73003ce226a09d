// The debug adapter inside an extension host that runs in a browser's worker: as server/dap/node/inline.ts, without a disk. What a scenario uses is open in
// the editor by the time it is read (client/src/debug-files.ts).

import { createInlineAdapter, type InlineAdapter } from '../common/inline.ts';
import type { DebugPlatform } from '../common/platform.ts';

const platform: DebugPlatform = {
  now: () => performance.now(),
  soon: (callback) => {
    setTimeout(callback, 0);
  },
  readFile: () => ({ error: 'it is not open in the editor, and a browser has no disk' }),
  uriOfFile: (path) => (path.startsWith('/') ? `file://${path}` : path),
  fileOfUri: (uri) => uri,
};

/** @param openText the text of a document that is open in the editor; undefined for any other */
export const createAdapter = (
  send: (message: object) => void,
  openText: (uri: string) => string | undefined,
): InlineAdapter => createInlineAdapter(platform, send, openText);
