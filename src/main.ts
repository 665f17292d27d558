import { flushCompileCache } from 'node:module';
import { runCommandLine } from './commands/command-line.ts';

// What runs for long may be killed, and is to start warm the next time; what ends before is written at its end.
setTimeout(flushCompileCache, 10_000).unref();
process.exitCode = await runCommandLine(process.argv.slice(2));
