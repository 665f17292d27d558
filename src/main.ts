import { flushCompileCache } from 'node:module';
import { rememberHangup } from './commands/hangup.ts';

// Before the rest is loaded, which takes longer than a script waits that starts a server and has it read its file again.
rememberHangup(process.argv[2]);
const { runCommandLine } = await import('./commands/command-line.ts');
// What runs for long may be killed, and is to start warm the next time; what ends before is written at its end.
setTimeout(flushCompileCache, 10_000).unref();
process.exitCode = await runCommandLine(process.argv.slice(2));
