// The one bundle for browsers: run as a worker it is the language server, given a place to export to it is the debug adapter. They share nearly all of
// their code, which would otherwise be shipped twice.

import { createAdapter } from '../dap/browser/inline.ts';
import { startWorkerServer } from './worker.ts';

/** Parameter of the function that client/src/extension-web.ts makes of this bundle's text. */
declare const adapterExports: { createAdapter?: typeof createAdapter } | undefined;

if (typeof adapterExports === 'undefined') startWorkerServer();
else adapterExports.createAdapter = createAdapter;
