import { enableCompileCache } from 'node:module';

// Before anything else is loaded: it halves the time from start to the first packet.
enableCompileCache();
const { runCommandLine } = await import('./commands/command-line.ts');
process.exitCode = await runCommandLine(process.argv.slice(2));
