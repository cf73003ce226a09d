// npm start: from a fresh clone to the extension in a real VS Code, with the examples open. See open.ts for what it accepts.
import { ensureInstalled, runPinned } from './lib/toolchain.mjs';

ensureInstalled();
runPinned('open.ts', process.argv.slice(2));
