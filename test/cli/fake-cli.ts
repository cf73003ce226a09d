// The real command line in a process of its own, with the tests' engine; see test/lsp/fake-checker.ts.

import { runCli } from '../../server/node/cli/run-cli.ts';
import { fakeEngine } from '../lsp/fake-checker.ts';

await runCli(fakeEngine, process.argv.slice(2));
