import { htmlText } from '../../core/html-text.ts';
import { z } from 'zod';
import type { JsonObject } from '../../core/outcome.ts';
import { fittedText, type MessageContent } from '../content.ts';
import {
  answerText,
  askProvider,
  caOption,
  editFirst,
  retry,
  sendOverHttp,
  serverUrl,
  type Answer,
  type SendRequest,
} from '../http.ts';
import { defineNotifier, type Sending, type SendPorts, type SendResult } from '../notifier.ts';

const options = z.strictObject({
  url: serverUrl('Address of the homeserver', 'https://matrix.example'),
  token: z
    .string()
    .regex(/^[\x21-\x7e]{1,1000}$/, 'expected an access token without spaces')
    .meta({
      description: 'Access token of the account that writes',
      example: '${file:/run/secrets/matrix}',
      secret: true,
    }),
  room: z
    .string()
    .regex(/^![^\s\p{Cc}]{1,254}$/u, 'expected the id of a room, like !abc:matrix.example')
    .meta({
      description: 'Id of the room; the account must be in it',
      example: '"!abc:matrix.example"',
    }),
  ca: caOption,
});
type Options = z.output<typeof options>;

export const matrix = defineNotifier({
  kind: 'matrix',
  title: 'Matrix',
  summary: 'Writes to a room, a thread an incident.',
  notes: [
    'Rooms with end-to-end encryption are refused: we cannot encrypt, and a message in clear would be a surprise there.',
    'A message that is sent twice is shown once.',
  ],
  options,
  rate: { burst: 5, perSecond: 0.5 },
  async send(sending, ports) {
    const { message, previous, content } = sending;
    const first = previous?.['event'];
    if (typeof first !== 'string') {
      const refusal = await refusalOf(sending, ports);
      if (refusal) return refusal;
      return await sendOverHttp(eventOf(sending, message.id, bodyOf(content)), ports, { accept, reject });
    }
    const thread = {
      rel_type: 'm.thread',
      event_id: first,
      is_falling_back: true,
      'm.in_reply_to': { event_id: first },
    };
    const news = eventOf(sending, message.id, { ...bodyOf(content), 'm.relates_to': thread });
    const result = await sendOverHttp(news, ports, { accept, reject });
    const edit = {
      ...bodyOf(content),
      'm.new_content': bodyOf(content),
      'm.relates_to': { rel_type: 'm.replace', event_id: first },
    };
    if (result.outcome === 'delivered') await editFirst(eventOf(sending, `${message.id}-edit`, edit), ports);
    return result;
  },
});

function eventOf(sending: Sending<Options>, transaction: string, body: object): SendRequest {
  const path = `send/m.room.message/${encodeURIComponent(transaction)}`;
  return { ...requestOf(sending, path), method: 'PUT', body: JSON.stringify(body) };
}

function requestOf({ options: { url, room, token, ca }, signal }: Sending<Options>, path: string) {
  const headers = { authorization: `Bearer ${token}` };
  return { url: `${url}/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${path}`, headers, ca, signal };
}

async function refusalOf(sending: Sending<Options>, ports: SendPorts): Promise<SendResult | undefined> {
  const answer = await askProvider({ ...requestOf(sending, 'state/m.room.encryption/'), method: 'GET' }, ports);
  if (answer.status !== 200 || answer.json?.['algorithm'] === undefined) return undefined;
  const { room } = sending.options;
  return {
    outcome: 'broken',
    text: `the room ${room} is encrypted, and Watchkeeper cannot encrypt: give a room without encryption`,
  };
}

/** An event has at most 65,536 bytes; the text is in it up to twice, and twice again in an edit. */
const maxText = 4000;

function bodyOf(content: MessageContent): JsonObject {
  const body = fittedText(content, maxText);
  const html = htmlText(body).replaceAll('\n', '<br>');
  // Without mentions, `@room` in a name is only text.
  return { msgtype: 'm.text', body, format: 'org.matrix.custom.html', formatted_body: html, 'm.mentions': {} };
}

function accept(answer: Answer): SendResult {
  const event = answer.json?.['event_id'];
  if (typeof event !== 'string') return retry(`expected an event with its id, got ${answerText(answer)}`);
  return { outcome: 'delivered', receipt: { event }, text: answerText(answer) };
}

/** Older servers give the wait in the body alone. */
function reject(answer: Answer): SendResult | undefined {
  const waitMs = answer.json?.['retry_after_ms'];
  const isOnlyThere = answer.status === 429 && !answer.headers.has('retry-after');
  return isOnlyThere && typeof waitMs === 'number' && waitMs >= 0 ? retry(answerText(answer), waitMs) : undefined;
}
