import { z } from 'zod';
import { byteSize, fittedText } from '../content.ts';
import { acceptWith, secretUrl, sendOverHttp } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  url: secretUrl('Address of a webhook of the space, with its key and token', '${file:/run/secrets/google-chat}'),
});

export const googlechat = defineNotifier({
  kind: 'googlechat',
  title: 'Google Chat',
  summary: 'Writes to a space, a thread an incident.',
  notes: ['Threads need a named space.', 'A message that is sent twice is shown once.'],
  options,
  rate: { burst: 3, perSecond: 0.8 },
  async send({ message, content, options, signal }, ports) {
    const url = new URL(options.url);
    url.searchParams.set('requestId', message.id);
    url.searchParams.set('messageReplyOption', 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
    const text = fittedText(content, maxBytes, (character) => byteSize(inert(character))).replaceAll(/[<*_~`]/g, inert);
    const body = JSON.stringify({ text, thread: { threadKey: message.thread } });
    return await sendOverHttp({ url: url.href, body, contentType: 'application/json; charset=UTF-8', signal }, ports, {
      accept: acceptWith('name'),
    });
  },
});

/** A message has at most 32,000 bytes. */
const maxBytes = 16_000;
const wordJoiner = '\u2060';

/** A character that begins markup, such as a mention `<users/all>`, followed by one that is not seen: so it is only text. */
function inert(character: string): string {
  return /[<*_~`]/.test(character) ? `${character}${wordJoiner}` : character;
}
