// The command line as a process: `snp-scenario check`, `snp-scenario lsp`.

import { engine } from '../common/bundled-engine.ts';
import { runCli } from './cli/run-cli.ts';

await runCli(engine, process.argv.slice(2));
