import { printable } from '../core/printable.ts';
import type { View } from './fleet-view.ts';
import { formatZonedTime } from './result-line.ts';
import { wrap } from './text.ts';

/** What people were told of a watched machine. Times are ISO 8601. */
export interface NoticeRow {
  readonly id: number;
  readonly agent: string;
  readonly sensor: string | null;
  readonly kind: string;
  readonly severity: 'alarm' | 'notice';
  readonly text: string;
  readonly lastAt: string;
  readonly count: number;
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string } | null;
}

/** The newest last, as they came; `notices` has the newest first. */
export function formatNotices(
  notices: readonly NoticeRow[],
  { paint, columns }: Pick<View, 'paint' | 'columns'>,
): string {
  if (notices.length === 0) return 'There are no notices.';
  const lines = notices.toReversed().flatMap((notice) => {
    const style = notice.acknowledged ? 'dim' : notice.severity === 'alarm' ? 'red' : 'yellow';
    return wrap(noticeLine(notice), columns, '     ').map((line) => paint(style, line));
  });
  return lines.join('\n');
}

/** `  17 2026-12-02 09:40:12 seat-17 (usb): usb device connected …, 3 ×; seen by Ada: cable` */
function noticeLine({ id, agent, sensor, kind, text, lastAt, count, acknowledged }: NoticeRow): string {
  const where = sensor === null ? agent : `${agent} (${sensor})`;
  const times = count === 1 ? '' : `, ${count} ×`;
  const note = acknowledged && acknowledged.note !== '' ? `: ${acknowledged.note}` : '';
  const seen = acknowledged ? `; seen by ${acknowledged.by}${note}` : '';
  return printable(
    `${String(id).padStart(4)} ${formatZonedTime(Date.parse(lastAt))} ${where}, ${kind}: ${text}${times}${seen}`,
  );
}
