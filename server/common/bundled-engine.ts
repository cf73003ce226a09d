// The engine that the server and the command line run, in Node and in a browser.

import { createChecker } from '../../engine/checker.ts';
import { kernelModels, MODEL_SCHEME, modelText } from '../../engine/models/model.ts';
import type { Engine } from './platform.ts';

export const engine: Engine = {
  createChecker,
  kernels: kernelModels.map(({ name }) => name),
  modelText: (path) => {
    // Asked for by clients, who may ask for `__proto__`.
    const text: unknown = modelText(MODEL_SCHEME + path);
    return typeof text === 'string' ? text : undefined;
  },
};
