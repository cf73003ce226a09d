// The real server in a process of its own, with the tests' engine; see fake-checker.ts.

import { startNodeServer } from '../../server/node/start.ts';
import { fakeEngine } from './fake-checker.ts';

startNodeServer(fakeEngine, process.argv.slice(2));
