import { resolve } from 'node:path';
import type { Milliseconds } from '../../core/duration.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatRehearsal } from '../../terminal/rehearsal-view.ts';
import { columnsFor } from '../../terminal/width.ts';
import { rehearsalAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface RehearseFlags extends Pick<ServerPlace, 'data'> {
  readonly last?: Milliseconds;
  readonly json?: true;
}

/** A month of many monitors takes a while. */
const silenceMs = 600_000;

/** Prints what a configuration would have told of the stored results, beside what was told. */
export async function printRehearsal(
  file: string,
  { last, json, ...place }: RehearseFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const body = { file: resolve(file), ...(last !== undefined && { last: `${last}ms` }) };
  const report = await new ServerClient(lineTo(place)).post('/rehearsals', rehearsalAnswer, { body, silenceMs });
  const view = { paint: paintFor(output), columns: columnsFor(output) };
  output.write(json ? `${JSON.stringify(report)}\n` : `${formatRehearsal(report, view)}\n`);
}
