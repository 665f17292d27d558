import { printable } from '../../core/printable.ts';
import type { NoticeSeverity } from '../../core/notice.ts';
import { formatNotices } from '../../terminal/notice-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { columnsFor } from '../../terminal/width.ts';
import { acknowledgedAnswer, noticesAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface NoticeFlags extends ServerPlace {
  readonly agent?: string;
  readonly room?: string;
  readonly session?: string;
  readonly kind?: string;
  readonly severity?: NoticeSeverity;
  readonly open?: true;
  /** ISO 8601 with a zone. */
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly json?: true;
}

/** Prints what people were told of the watched machines: the newest last, or with `json` an object a line, the newest first. */
export async function printNotices(flags: NoticeFlags, output: NodeJS.WriteStream): Promise<void> {
  const { open, limit = 100, json, agent, room, session, kind, severity, from, to, ...place } = flags;
  const given = { agent, room, session, kind, severity, from, to, open: open && 'true', limit: String(limit) };
  const query = new URLSearchParams(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { notices, more } = await new ServerClient(lineTo(place)).get(`/notices?${query.toString()}`, noticesAnswer);
  if (json) {
    for (const notice of notices) output.write(`${JSON.stringify(notice)}\n`);
    return;
  }
  if (more) output.write(`There are older ones: --limit and --to reach them.\n`);
  output.write(`${formatNotices(notices, { paint: paintFor(output), columns: columnsFor(output) })}\n`);
}

export interface AcknowledgeFlags extends ServerPlace {
  readonly by: string;
  readonly note?: string;
}

/** Says who has looked at a notice. */
export async function acknowledge(notice: number, { by, note = '', ...place }: AcknowledgeFlags): Promise<void> {
  const path = `/notices/${notice}/acknowledgement`;
  const { acknowledged } = await new ServerClient(lineTo(place)).post(path, acknowledgedAnswer, { body: { by, note } });
  process.stdout.write(`Notice ${notice} was seen by ${printable(acknowledged.by)} at ${acknowledged.at}.\n`);
}
