// The real command line in a process of its own, with the tests' engine; see test/lsp/fake-checker.ts.

import { runCli } from '../../server/node/cli/run-cli.ts';
import { createFakeChecker, fakeModels } from '../lsp/fake-checker.ts';

await runCli({ createChecker: createFakeChecker, modelText: (path) => fakeModels[path] }, process.argv.slice(2));
