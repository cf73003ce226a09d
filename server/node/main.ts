// The language server as a process of its own, started by an editor.

import { engine } from '../common/bundled-engine.ts';
import { startNodeServer } from './start.ts';

startNodeServer(engine, process.argv.slice(2));
