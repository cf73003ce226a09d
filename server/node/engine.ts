// The engine that the server and the command line run.

import { createChecker } from '../../engine/checker.ts';
import { modelFiles } from '../../engine/generated/models.ts';
import type { Engine } from '../common/platform.ts';

export const engine: Engine = {
  createChecker,
  modelText: (path) => (Object.hasOwn(modelFiles, path) ? modelFiles[path] : undefined),
};
