import { tagText } from '../../core/html-text.ts';
import { z } from 'zod';
import type { MessageReceipt } from '../../core/message.ts';
import { fittedText } from '../content.ts';
import { answerText, editFirst, retry, sendOverHttp, serverUrl, type Answer, type SendRequest } from '../http.ts';
import { defineNotifier, type Sending, type SendPorts, type SendResult } from '../notifier.ts';

const options = z.strictObject({
  token: z
    .string()
    .regex(/^\d{1,20}:[\w-]{10,100}$/, 'expected the token of a bot, like 123456:ABC-DEF, from @BotFather')
    .meta({ description: 'Token of the bot', example: '${file:/run/secrets/telegram}', secret: true }),
  chat: z
    .string()
    .regex(/^(?:-?\d{1,20}|@\w{1,64})$/, 'expected the number of a chat, or @channel')
    .meta({ description: 'Chat, group or channel', example: '"-1001234567890"' }),
  topic: z.int().positive().optional().meta({ description: 'Topic of the group', example: '7' }),
  url: serverUrl('Address of the Bot API', 'https://api.telegram.org').default('https://api.telegram.org'),
});
type Options = z.output<typeof options>;

export const telegram = defineNotifier({
  kind: 'telegram',
  title: 'Telegram',
  summary: 'Writes to a chat, group or channel as a bot.',
  notes: [
    'Later news answers the first message of its incident, which is edited to the present state.',
    'A group that became a supergroup is followed.',
  ],
  options,
  rate: { burst: 3, perSecond: 0.3 },
  async send(sending, ports) {
    const { options, previous } = sending;
    const chat = previous?.['chat'] ?? options.chat;
    const result = await post(sending, ports, chat);
    if (result.outcome !== 'delivered' || previous === undefined) return result;
    const edit = { chat_id: chat, message_id: previous['id'] ?? null, ...textOf(sending) };
    await editFirst(requestOf('editMessageText', edit, sending), ports);
    return result;
  },
});

async function post(sending: Sending<Options>, ports: SendPorts, chat: unknown): Promise<SendResult> {
  const { options, previous } = sending;
  const bodyFor = (chat_id: unknown) => ({
    chat_id,
    ...textOf(sending),
    ...(options.topic !== undefined && { message_thread_id: options.topic }),
    ...(previous !== undefined && {
      reply_parameters: { message_id: previous['id'], allow_sending_without_reply: true },
    }),
  });
  let movedTo: number | undefined;
  const noteMove = (answer: Answer): SendResult | undefined => {
    movedTo = numberAt(answer.json?.['parameters'], 'migrate_to_chat_id');
    return reject(answer);
  };
  const first = await sendOverHttp(requestOf('sendMessage', bodyFor(chat), sending), ports, {
    accept,
    reject: noteMove,
  });
  if (movedTo === undefined) return first;
  return await sendOverHttp(requestOf('sendMessage', bodyFor(movedTo), sending), ports, { accept, reject });
}

function requestOf(method: string, body: object, { options, signal }: Sending<Options>): SendRequest {
  return { url: `${options.url}/bot${options.token}/${method}`, body: JSON.stringify(body), signal };
}

/** Telegram counts the characters after it has read the markup. */
const maxText = 4096;

function textOf({ content }: Sending<Options>) {
  return {
    text: tagText(fittedText(content, maxText)),
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  };
}

function accept(answer: Answer): SendResult {
  const result = objectAt(answer.json, 'result');
  const id = numberAt(result, 'message_id');
  if (answer.json?.['ok'] !== true || id === undefined)
    return retry(`expected a message with its id, got ${answerText(answer)}`);
  const chat = numberAt(objectAt(result, 'chat'), 'id');
  const receipt: MessageReceipt = { id, ...(chat !== undefined && { chat }) };
  return { outcome: 'delivered', receipt, text: answerText(answer) };
}

function reject(answer: Answer): SendResult | undefined {
  const seconds = numberAt(answer.json?.['parameters'], 'retry_after');
  if (answer.status === 429 && seconds !== undefined) return retry(answerText(answer), seconds * 1000);
  const isAboutChat =
    answer.status === 400 &&
    /chat not found|not enough rights|topic_closed|thread not found|upgraded/i.test(answer.text);
  return isAboutChat ? { outcome: 'broken', text: answerText(answer) } : undefined;
}

function objectAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function numberAt(value: unknown, key: string): number | undefined {
  const found = objectAt(value, key);
  return typeof found === 'number' && Number.isFinite(found) && (key !== 'retry_after' || found >= 0)
    ? found
    : undefined;
}
