import { Option, type Command } from 'commander';
import { sensorNames } from '../../core/sensor.ts';
import { keyPinArgument, timeArgument, webAddressArgument } from '../arguments.ts';
import type { EvidenceFlags } from './evidence.ts';
import { atServer } from './server-options.ts';
import type { VerifyFlags } from './verify.ts';

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
    .option(
      '--timestamp <url>',
      'ask this authority (RFC 3161) for a time stamp, so that nobody can make the folder later',
      webAddressArgument,
    )
    .action(async (agent: string, folder: string, flags: EvidenceFlags) => {
      const { exportEvidence } = await import('./evidence.ts');
      process.exitCode = await exportEvidence(agent, folder, flags);
    });
  program
    .command('verify')
    .description(
      'say what a folder of evidence proves, without a server. Exits with 0 if it is genuine and complete, 1 if it is genuine with gaps or alarms, 2 if it was altered, 3 if nobody knows who signed it',
    )
    .argument('<folder>', 'what evidence wrote, or the evidence folder of an agent')
    .option('--pin <hash>', 'pin of the key of your server: of what invite prints, the part after wk1.', keyPinArgument)
    .option('--timestamp-ca <file>', 'certificates (PEM) of the time-stamping authorities that you trust')
    .option('--json', 'one JSON object')
    .action(async (folder: string, flags: VerifyFlags) => {
      const { verify } = await import('./verify.ts');
      process.exitCode = await verify(folder, flags, process.stdout);
    });
}
