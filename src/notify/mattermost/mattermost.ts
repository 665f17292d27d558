import { z } from 'zod';
import { fittedText } from '../content.ts';
import {
  answerText,
  caOption,
  editFirst,
  plainOk,
  retry,
  secretUrl,
  sendOverHttp,
  serverUrl,
  type Answer,
} from '../http.ts';
import { defineNotifier, type Sending, type SendPorts, type SendResult } from '../notifier.ts';

const options = z
  .strictObject({
    webhookUrl: secretUrl('Address of an incoming webhook', '${file:/run/secrets/mattermost}').optional(),
    url: serverUrl('Address of the server, for a bot instead of a webhook', 'https://chat.example').optional(),
    token: z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, 'expected a token without spaces')
      .optional()
      .meta({
        description: 'Token of the bot: later news then answers in the thread',
        example: '${file:/run/secrets/mattermost-bot}',
        secret: true,
      }),
    channel: z
      .string()
      .regex(/^[a-z\d]{26}$/, 'expected the id of a channel: 26 letters and digits')
      .optional()
      .meta({
        description: 'Channel that the bot writes to, by its id',
        example: '4xp9fdt77pncbef59f4k1qe83o',
      }),
    ca: caOption,
  })
  .refine(({ webhookUrl, url, token, channel }) => {
    const ofBot = [url, token, channel].filter((given) => given !== undefined).length;
    return webhookUrl === undefined ? ofBot === 3 : ofBot === 0;
  }, 'expected either webhookUrl, or url, token and channel');
type Options = z.output<typeof options>;

export const mattermost = defineNotifier({
  kind: 'mattermost',
  title: 'Mattermost',
  summary: 'Writes to a channel, by an incoming webhook or as a bot.',
  notes: ['Nobody is mentioned, whatever a name says: `@channel` does nothing.'],
  options,
  rate: { burst: 5, perSecond: 1 },
  async send(sending, ports) {
    const { content, options, signal } = sending;
    const shown = fittedText({ ...content, links: [] }, maxText, (character) => inert(character).length);
    const links = content.links.map(({ label, url }) => `\n${label}: <${url}>`).join('');
    const text = shown.replaceAll(marked, inert) + links;
    const { webhookUrl, ca } = options;
    if (webhookUrl === undefined) return await asBot(text, sending, ports);
    return await sendOverHttp({ url: webhookUrl, body: JSON.stringify({ text }), ca, signal }, ports, {
      accept: plainOk,
    });
  },
});

/** A post has at most 16,383 characters. */
const maxText = 15_000;
const marked = /[\\`*_{}[\]()#+~|<>!@:-]/g;
const zeroWidthSpace = '\u200b';

/** Markdown escaped; nobody is mentioned by an `@`, and no emoji made by a `:`, after which something unseen stands. */
function inert(character: string): string {
  if (character === '@' || character === ':') return `${character}${zeroWidthSpace}`;
  return /[\\`*_{}[\]()#+~|<>!-]/.test(character) ? `\\${character}` : character;
}

async function asBot(
  text: string,
  { options, previous, signal }: Sending<Options>,
  ports: SendPorts,
): Promise<SendResult> {
  const { url, token, channel, ca } = options;
  const headers = { authorization: `Bearer ${token}` };
  const first = previous?.['post'];
  const post = { channel_id: channel, message: text, ...(first !== undefined && { root_id: first }) };
  const request = { headers, ca, signal };
  const result = await sendOverHttp({ ...request, url: `${url}/api/v4/posts`, body: JSON.stringify(post) }, ports, {
    accept,
  });
  if (result.outcome === 'delivered' && typeof first === 'string') {
    const edit = `${url}/api/v4/posts/${encodeURIComponent(first)}/patch`;
    await editFirst({ ...request, url: edit, method: 'PUT', body: JSON.stringify({ message: text }) }, ports);
  }
  return result;
}

function accept(answer: Answer): SendResult {
  const post = answer.json?.['id'];
  if (typeof post !== 'string') return retry(`expected a post with its id, got ${answerText(answer)}`);
  return { outcome: 'delivered', receipt: { post }, text: answerText(answer) };
}
