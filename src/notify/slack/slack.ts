import { tagText } from '../../core/html-text.ts';
import { z } from 'zod';
import type { MessageReceipt } from '../../core/message.ts';
import { fittedText, type MessageContent } from '../content.ts';
import {
  answerText,
  editFirst,
  plainOk,
  retry,
  secretUrl,
  sendOverHttp,
  serverUrl,
  type Answer,
  type SendRequest,
} from '../http.ts';
import { defineNotifier, type Sending, type SendPorts, type SendResult } from '../notifier.ts';

const options = z
  .strictObject({
    webhookUrl: secretUrl('Address of an incoming webhook', '${file:/run/secrets/slack}').optional(),
    token: z.string().min(1).max(500).optional().meta({
      description: 'Token of a bot that may `chat:write`, instead of a webhook: recoveries then answer in the thread',
      example: '${file:/run/secrets/slack-bot}',
      secret: true,
    }),
    channel: z.string().trim().min(1).max(200).optional().meta({
      description: 'Channel that the bot writes to, by its id',
      example: 'C0123456789',
    }),
    url: serverUrl('Address of the Web API', 'https://slack.com/api').default('https://slack.com/api'),
  })
  .refine(
    ({ webhookUrl, token, channel }) =>
      webhookUrl === undefined
        ? token !== undefined && channel !== undefined
        : token === undefined && channel === undefined,
    'expected either webhookUrl, or token and channel',
  );
type Options = z.output<typeof options>;

export const slack = defineNotifier({
  kind: 'slack',
  title: 'Slack',
  summary: 'Writes to a channel, by an incoming webhook or as a bot.',
  notes: [
    'As a bot, later news answers in the thread of the first message, and the first message is edited to the present state.',
    'A webhook tells us no id, so it can do neither.',
  ],
  options,
  rate: { burst: 5, perSecond: 1 },
  async send(sending, ports) {
    return sending.options.webhookUrl === undefined ? await asBot(sending, ports) : await byWebhook(sending, ports);
  },
});

/** Slack reads 40,000 characters and advises 4,000. */
const maxText = 4000;

function textOf(content: MessageContent): string {
  return tagText(fittedText(content, maxText, (character) => tagText(character).length));
}

const asPlain = { mrkdwn: false, link_names: false, parse: 'none', unfurl_links: false, unfurl_media: false };

async function byWebhook({ content, options, signal }: Sending<Options>, ports: SendPorts): Promise<SendResult> {
  // The schema takes either a webhook or a bot.
  const url = options.webhookUrl!;
  return await sendOverHttp({ url, body: JSON.stringify({ text: textOf(content), ...asPlain }), signal }, ports, {
    accept: plainOk,
  });
}

async function asBot(sending: Sending<Options>, ports: SendPorts): Promise<SendResult> {
  const { content, options, previous } = sending;
  const { channel } = options;
  const first = previous?.['ts'];
  const message = { text: textOf(content), ...asPlain };
  const posting = { channel, ...message, ...(first !== undefined && { thread_ts: first }) };
  const result = await sendOverHttp(requestOf('chat.postMessage', posting, sending), ports, { accept: botAnswer });
  const edit = { channel: previous?.['channel'], ts: first, ...message };
  if (result.outcome === 'delivered' && first !== undefined)
    await editFirst(requestOf('chat.update', edit, sending), ports);
  return result;
}

function requestOf(method: string, body: object, { options, signal }: Sending<Options>): SendRequest {
  return {
    url: `${options.url}/${method}`,
    headers: { authorization: `Bearer ${options.token ?? ''}` },
    body: JSON.stringify(body),
    contentType: 'application/json; charset=utf-8',
    signal,
  };
}

const passing =
  /^(?:ratelimited|rate_limited|internal_error|fatal_error|service_unavailable|request_timeout|team_added_to_org|accesslimited)$/;
const aboutText =
  /^(?:msg_too_long|msg_blocks_too_long|no_text|invalid_blocks|invalid_arguments|too_many_attachments|markdown_text_conflict)$/;

/** The Web API answers 200 also when it refuses. */
function botAnswer(answer: Answer): SendResult {
  const { json } = answer;
  const text = answerText(answer);
  if (json?.['ok'] === true) return { outcome: 'delivered', receipt: receiptOf(json), text };
  const error = json?.['error'];
  if (typeof error !== 'string' || passing.test(error)) return retry(text);
  return aboutText.test(error) ? { outcome: 'refused', text } : { outcome: 'broken', text };
}

function receiptOf({ ts, channel }: MessageReceipt): MessageReceipt {
  return { ...(typeof ts === 'string' && { ts }), ...(typeof channel === 'string' && { channel }) };
}
