import { z } from 'zod';
import { cutText, type MessageContent } from '../content.ts';
import { acceptWith, answerText, formBody, sendOverHttp, serverUrl, type Answer } from '../http.ts';
import { defineNotifier, type SendResult } from '../notifier.ts';
import { gsmText, gsmSize } from './gsm.ts';

const number = z.string().regex(/^\+\d{5,15}$/, 'expected a telephone number with its country, like +491701234567');

const options = z.strictObject({
  account: z
    .string()
    .regex(/^AC[\da-f]{32}$/i, 'expected the SID of an account: AC and 32 letters and digits')
    .meta({
      description: 'SID of the account',
      example: 'AC00000000000000000000000000000000',
    }),
  token: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected a token without spaces')
    .meta({
      description: 'Auth token of the account',
      example: '${file:/run/secrets/twilio}',
      secret: true,
    }),
  from: z
    .string()
    .regex(
      /^(?:\+\d{5,15}|MG[\da-f]{32}|[A-Za-z\d ]{1,11})$/,
      'expected a number, the SID of a messaging service, or a name of at most 11 letters',
    )
    .meta({
      description: 'Number, messaging service or name that sends',
      example: '"+15017122661"',
    }),
  to: number.meta({ description: 'Number that receives', example: '"+491701234567"' }),
  url: serverUrl('Address of the API', 'https://api.twilio.com').default('https://api.twilio.com'),
});

export const twilio = defineNotifier({
  kind: 'twilio',
  title: 'SMS (Twilio)',
  summary: 'Sends one SMS of at most 160 characters.',
  notes: [
    'Twilio has no key against doubles: after a crash in the middle of sending one SMS may come twice.',
    'Registration errors (A2P 10DLC) are final: the notifier is then broken until the number is registered.',
  ],
  options,
  rate: { burst: 1, perSecond: 1 },
  async send({ content, options: { account, token, from, to, url }, signal }, ports) {
    const body = formBody({
      To: to,
      Body: textOf(content),
      ...(from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from }),
    });
    const headers = { authorization: `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}` };
    const request = { url: `${url}/2010-04-01/Accounts/${account}/Messages.json`, headers, body, signal };
    return await sendOverHttp({ ...request, contentType: 'application/x-www-form-urlencoded' }, ports, {
      accept: acceptWith('sid'),
      reject,
    });
  },
});

const segment = 160;

/** The title, and the link if there is room for a good part of the title beside it. */
function textOf({ title, links }: MessageContent): string {
  const [link] = links;
  const end = link && gsmSize(link.url) <= segment / 2 ? ` ${link.url}` : '';
  // The mark of a cut becomes three dots: two places more.
  return cutText(gsmText(title), segment - gsmSize(end) - 2, gsmSize).replaceAll('…', '...') + end;
}

/** 30007 to 30034 and 21xxx: https://www.twilio.com/docs/api/errors. Registration, not allowed to send there, number not owned. */
const needsPeople = new Set([20003, 20008, 21211, 21212, 21408, 21606, 21608, 21610, 21612, 30007, 30034]);

function reject(answer: Answer): SendResult | undefined {
  const code = answer.json?.['code'];
  return answer.status < 500 && answer.status !== 429 && typeof code === 'number' && needsPeople.has(code)
    ? { outcome: 'broken', text: answerText(answer) }
    : undefined;
}
