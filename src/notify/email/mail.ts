import { htmlText } from '../../core/html-text.ts';
import { fittedText, visible, type MessageContent } from '../content.ts';
import type { Sending } from '../notifier.ts';

const maxSubject = 150;
const maxBody = 60_000;

/** The mail of a message, for nodemailer, which encodes and folds the headers. */
export function mailOf({
  message,
  content,
  previous,
  options: { from, to },
}: Sending<{ readonly from: string; readonly to: readonly string[] }>) {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const root = `<${message.thread}@${domain}>`;
  const first = textIn(previous?.['messageId']);
  return {
    from: { name: 'Watchkeeper', address: from },
    to: [...to],
    messageId: `<${message.id}@${domain}>`,
    // Mail programs make one thread of one subject.
    subject: textIn(previous?.['subject']) ?? subjectOf(message.subject, message.since),
    ...(first !== undefined && { inReplyTo: first }),
    references: first === undefined ? [root] : [root, first],
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'List-Id': `Watchkeeper <watchkeeper.${domain}>`,
      'X-Watchkeeper-State': message.state,
      'X-Watchkeeper-Kind': message.kind,
    },
    ...(message.severity === 'critical' && message.state !== 'up' && { priority: 'high' as const }),
    text: fittedText(content, maxBody),
    html: htmlOf(content),
  };
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function subjectOf(subject: string, sinceMs: number): string {
  const since = new Date(sinceMs).toISOString().slice(0, 16).replace('T', ' ');
  return visible(`${visible(subject, maxSubject - 40)}: incident since ${since} UTC`, maxSubject);
}

function htmlOf(content: MessageContent): string {
  const rows = content.lines.map(
    ({ label, text }) =>
      `<tr><td style="padding:2px 12px 2px 0;vertical-align:top;color:#555">${htmlText(label)}</td><td>${htmlText(text)}</td></tr>`,
  );
  const links = content.links.map(({ label, url }) => `<a href="${htmlText(url)}">${htmlText(label)}</a>`);
  return [
    '<!doctype html><html><body style="font-family:sans-serif;font-size:15px">',
    `<p style="font-size:17px"><b>${htmlText(content.title)}</b></p>`,
    `<table style="border-collapse:collapse">${rows.join('')}</table>`,
    `<p>${links.join(' &middot; ')}</p>`,
    '</body></html>',
  ].join('\n');
}
