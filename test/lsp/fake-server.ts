// The real server in a process of its own, with the tests' engine; see fake-checker.ts.

import { startNodeServer } from '../../server/node/start.ts';
import { createFakeChecker, fakeModels } from './fake-checker.ts';

startNodeServer({ createChecker: createFakeChecker, modelText: (path) => fakeModels[path] }, process.argv.slice(2));
