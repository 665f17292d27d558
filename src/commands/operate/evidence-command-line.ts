import { Option, type Command } from 'commander';
import { sensorNames } from '../../core/sensor.ts';
import { timeArgument } from '../arguments.ts';
import type { EvidenceFlags } from './evidence.ts';
import { atServer } from './fleet-command-line.ts';

/** What sensors wrote, taken away and verified. */
export function addEvidence(program: Command): void {
  atServer(
    program
      .command('evidence')
      .description('take the records of an agent away from a server, signed by it, to a folder'),
  )
    .argument('<agent>', 'its id or name')
    .argument('<folder>', 'a new or empty folder')
    .addOption(new Option('--sensor <name>', `of one sensor only: ${sensorNames.join(', ')}`).choices(sensorNames))
    .option('--from <time>', 'not before this time, like 2026-12-02T08:00:00+01:00', timeArgument)
    .option('--to <time>', 'before this time', timeArgument)
    .action(async (agent: string, folder: string, flags: EvidenceFlags) => {
      const { exportEvidence } = await import('./evidence.ts');
      process.exitCode = await exportEvidence(agent, folder, flags);
    });
  program
    .command('verify')
    .description('say whether anything in a folder of evidence was changed; exits with 2 if so. Needs no server')
    .argument('<folder>', 'what evidence wrote, or the evidence folder of an agent')
    .action(async (folder: string) => {
      const { verify } = await import('./verify.ts');
      process.exitCode = await verify(folder, process.stdout);
    });
}
