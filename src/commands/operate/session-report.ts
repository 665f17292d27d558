import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import { keyPin } from '../../protocol/identity.ts';
import {
  pageFile,
  readSessionManifest,
  reportFile,
  sessionFile,
  sessionSignatureFile,
} from '../../records/verify/session-folder.ts';
import { makeEmpty, writeEvidence } from './evidence.ts';
import { sealedSessionAnswer, sessionsAnswer } from './server-answers.ts';
import { pathPart } from './path-part.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';
import { verify } from './verify.ts';

export interface ReportFlags extends ServerPlace {
  /** Id of a session, or a room whose newest is meant; the newest of all if absent. */
  readonly session?: string;
  /** IANA name of the zone in which the page tells times. */
  readonly zone?: string;
}

/** Sealing reads the records of all seats. */
const silenceMs = 600_000;

/** Takes the report of a session and the evidence of its seats away, signed, and verifies what was written; returns the exit code. @throws {AppError} */
export async function reportSession(folder: string, flags: ReportFlags): Promise<number> {
  const { session, zone = Temporal.Now.timeZoneId(), ...place } = flags;
  await makeEmpty(folder);
  const client = new ServerClient(lineTo(place));
  const which = session ?? (await newestSession(client));
  const query = new URLSearchParams({ zone });
  const path = `/sessions/${pathPart(which)}/report?${query.toString()}`;
  const { manifest, signature, report, page, seats } = await client.get(path, sealedSessionAnswer, silenceMs);
  const sealed = readSessionManifest(manifest);
  if (!sealed)
    throw new AppError('unavailable', `${client.name} signs reports in a form that this version does not know`);
  for (const { folder: of, ...signed } of seats) {
    if (!/^seats\/[^/.][^/]*$/.test(of))
      throw new AppError('unavailable', `${client.name} names a strange folder: ${quoted(of)}`);
    await mkdir(join(folder, of), { recursive: true, mode: 0o700 });
    await writeEvidence({ client, folder: join(folder, of), signed });
  }
  await writeFile(join(folder, reportFile), report);
  await writeFile(join(folder, pageFile), page);
  // Last: a folder without it is none that was finished.
  await writeFile(join(folder, sessionFile), manifest);
  await writeFile(join(folder, sessionSignatureFile), `${signature}\n`);
  const next = `Open ${join(folder, pageFile)} in a browser, and print it from there. With the pin of the server's key, \`verify\` needs nobody's word`;
  process.stdout.write(`Written to ${folder}. ${next}.\n\n`);
  return await verify(folder, { pin: keyPin(sealed.serverKey) }, process.stdout);
}

async function newestSession(client: ServerClient): Promise<string> {
  const { sessions } = await client.get('/sessions?limit=1', sessionsAnswer);
  const [newest] = sessions;
  if (newest) return newest.id;
  throw new AppError(
    'not-found',
    'there is no session to report on: `watchkeeper session start ROOM --until 12:30` begins one',
  );
}
