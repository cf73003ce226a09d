// The debug adapter inside VS Code's extension host: a bundle of its own, loaded when the first session starts. What is exported is what the client
// needs to know of it (client/src/debug.ts).

import { createInlineAdapter, type InlineAdapter } from '../common/inline.ts';
import { nodePlatform } from './platform.ts';

/** @param openText the text of a document that is open in the editor; undefined for any other */
export const createAdapter = (
  send: (message: object) => void,
  openText: (uri: string) => string | undefined,
): InlineAdapter => createInlineAdapter(nodePlatform, send, openText);
