// npm test: from a fresh clone to every test. See check.ts for the stages and what it accepts.
import { ensureInstalled, runPinned } from './lib/toolchain.mjs';

ensureInstalled();
runPinned('check.ts', process.argv.slice(2));
