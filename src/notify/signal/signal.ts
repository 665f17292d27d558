import { z } from 'zod';
import { fittedText } from '../content.ts';
import { answerText, caOption, retry, sendOverHttp, serverUrl, type Answer } from '../http.ts';
import { defineNotifier, type SendResult } from '../notifier.ts';

const number = z.string().regex(/^\+\d{5,15}$/, 'expected a telephone number with its country, like +491701234567');
const recipient = z
  .string()
  .regex(
    /^(?:\+\d{5,15}|group\.[\w+/=-]{10,200}|[a-z][\w]{2,31}\.\d{2,9})$/i,
    'expected a number like +491701234567, a user name, or group.…',
  );

const options = z.strictObject({
  url: serverUrl('Address of signal-cli-rest-api', 'http://127.0.0.1:8080'),
  number: number.meta({ description: 'Registered number that sends', example: '"+491701234567"' }),
  recipients: z
    .array(recipient)
    .min(1)
    .max(50)
    .meta({ description: 'Numbers and groups', example: '["+491707654321"]' }),
  ca: caOption,
});

export const signal = defineNotifier({
  kind: 'signal',
  title: 'Signal',
  summary: 'Sends by your own signal-cli-rest-api, which holds a registered number.',
  notes: ['Signal may ask such a number for a captcha at any time: give this notifier a fallback.'],
  options,
  rate: { burst: 3, perSecond: 0.2 },
  async send({ content, options: { url, number, recipients, ca }, previous, signal }, ports) {
    const body = JSON.stringify({
      message: fittedText(content, maxText),
      text_mode: 'normal',
      number,
      recipients,
      ...(previous && {
        quote_timestamp: previous['timestamp'],
        quote_author: number,
        quote_message: previous['text'],
      }),
    });
    const title = content.title;
    return await sendOverHttp({ url: `${url}/v2/send`, body, ca, signal }, ports, {
      reject,
      accept: (answer) => {
        const timestamp = Number(answer.json?.['timestamp']);
        return Number.isSafeInteger(timestamp) && timestamp > 0
          ? { outcome: 'delivered', text: answerText(answer), receipt: { timestamp, text: title } }
          : retry(`expected an answer with timestamp, got ${answerText(answer)}`);
      },
    });
  },
});

/** Beyond about 2,000 characters Signal makes an attachment of it. */
const maxText = 1900;

function reject(answer: Answer): SendResult | undefined {
  if (answer.status !== 400) return undefined;
  if (/captcha|challenge|unregistered|not registered/i.test(answer.text))
    return { outcome: 'broken', text: answerText(answer) };
  return /rate limit/i.test(answer.text) ? { outcome: 'retry', text: answerText(answer) } : undefined;
}
