// The debug adapter's platform in a Node process.

import { fileURLToPath, pathToFileURL } from 'node:url';
import { readUri } from '../../node/disk.ts';
import type { DebugPlatform } from '../common/platform.ts';

export const nodePlatform: DebugPlatform = {
  now: () => performance.now(),
  soon: (callback) => {
    setImmediate(callback);
  },
  readFile: readUri,
  uriOfFile: (path) => pathToFileURL(path).href,
  fileOfUri: (uri) => {
    try {
      return fileURLToPath(uri);
    } catch {
      return uri;
    }
  },
};
