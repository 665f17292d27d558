import { z } from 'zod';
import { cutText, fittedText, type MessageContent } from '../content.ts';
import { answerText, delivered, editFirst, retry, secretUrl, sendOverHttp, type Answer } from '../http.ts';
import { defineNotifier, type SendResult } from '../notifier.ts';

const options = z.strictObject({
  webhookUrl: secretUrl('Address of a webhook of the channel', '${file:/run/secrets/discord}'),
  threadId: z
    .string()
    .regex(/^\d{1,20}$/, 'expected the id of a thread: digits')
    .optional()
    .meta({ description: 'Thread of the channel to write to', example: '"1234567890"' }),
});

export const discord = defineNotifier({
  kind: 'discord',
  title: 'Discord',
  summary: 'Writes to a channel by a webhook.',
  notes: [
    'Nobody is mentioned, whatever a name says: `@everyone` does nothing.',
    'The first message of an incident is edited when its state changes.',
  ],
  options,
  rate: { burst: 5, perSecond: 0.5 },
  async send({ message, content, options, previous, signal }, ports) {
    const body = JSON.stringify(bodyOf(content, colours[message.state]));
    const result = await sendOverHttp({ url: urlOf(options, ''), body, signal }, ports, { accept, reject });
    const first = previous?.['id'];
    if (result.outcome === 'delivered' && typeof first === 'string') {
      const url = urlOf(options, `/messages/${encodeURIComponent(first)}`);
      await editFirst({ url, method: 'PATCH', body, signal }, ports);
    }
    return result;
  },
});

const colours = { up: 0x2e_9e_5b, degraded: 0xd9_8e_04, down: 0xc9_30_2c, unknown: 0x7a_7a_7a } as const;

function urlOf({ webhookUrl, threadId }: z.output<typeof options>, path: string): string {
  const url = new URL(webhookUrl);
  url.pathname += path;
  // Without it a message that is not saved gives no error.
  url.searchParams.set('wait', 'true');
  if (threadId !== undefined) url.searchParams.set('thread_id', threadId);
  return url.href;
}

// https://docs.discord.com/developers/resources/message: an embed's title and description, all embeds together 6,000.
const maxTitle = 256;
const maxDescription = 3000;
const markdown = /[\\*_~`|>[\]()<#-]/g;
const escapedSize = (character: string): number => character.length + (/[\\*_~`|>[\]()<#-]/.test(character) ? 1 : 0);

function bodyOf({ title, lines, links }: MessageContent, color: number) {
  const shown = escaped(cutText(title, maxTitle, escapedSize));
  const text = fittedText({ title: '', lines, links: [] }, maxDescription, escapedSize).trim();
  const ends = links.map(({ label, url }) => `${label}: ${url}`);
  return {
    content: shown,
    embeds: [{ title: shown, description: [escaped(text), ...ends].join('\n'), color }],
    allowed_mentions: { parse: [] },
  };
}

function escaped(text: string): string {
  return text.replaceAll(markdown, String.raw`\$&`);
}

function accept(answer: Answer): SendResult {
  const id = answer.json?.['id'];
  if (typeof id === 'string') return { ...delivered(answer), receipt: { id } } as SendResult;
  return retry(`expected a message with its id, got ${answerText(answer)}`);
}

/** Discord gives the wait with a fraction in the body, and rounded up in the header. */
function reject(answer: Answer): SendResult | undefined {
  const seconds = answer.json?.['retry_after'];
  return answer.status === 429 && typeof seconds === 'number' && seconds >= 0
    ? retry(answerText(answer), Math.ceil(seconds * 1000))
    : undefined;
}
