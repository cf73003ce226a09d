// The command line as a process: `snp-scenario check`, `snp-scenario lsp`.

import { runCli } from './cli/run-cli.ts';
import { engine } from './engine.ts';

await runCli(engine, process.argv.slice(2));
