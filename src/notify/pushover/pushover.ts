import { z } from 'zod';
import { cutText, fittedText } from '../content.ts';
import { answerText, editFirst, formBody, retry, sendOverHttp, serverUrl, type Answer } from '../http.ts';
import { defineNotifier, type Sending, type SendResult } from '../notifier.ts';

const key = z.string().regex(/^[A-Za-z\d]{30}$/, 'expected 30 letters and digits');

const options = z.strictObject({
  token: key.meta({
    description: 'Token of the application',
    example: '${file:/run/secrets/pushover-app}',
    secret: true,
  }),
  user: key.meta({
    description: 'Key of the user or group',
    example: '${file:/run/secrets/pushover-user}',
    secret: true,
  }),
  emergency: z.boolean().default(false).meta({
    description:
      'Critical messages ring each minute for an hour, until somebody acknowledges them in Pushover or the incident ends',
    example: 'yes',
  }),
  url: serverUrl('Address of the API', 'https://api.pushover.net').default('https://api.pushover.net'),
});

export const pushover = defineNotifier({
  kind: 'pushover',
  title: 'Pushover',
  summary: 'Pushes to phones and desktops of a person or group.',
  notes: ['An application may send 10,000 messages a month.'],
  options,
  rate: { burst: 5, perSecond: 0.2 },
  async send(sending, ports) {
    const { message, options, previous, signal } = sending;
    const { token, url } = options;
    const body = formBody(formOf(sending));
    const request = { url: `${url}/1/messages.json`, body, contentType, signal };
    const result = await sendOverHttp(request, ports, { accept, reject });
    const receipt = previous?.['receipt'];
    if (message.state === 'up' && result.outcome === 'delivered' && typeof receipt === 'string') {
      const cancel = `${url}/1/receipts/${encodeURIComponent(receipt)}/cancel.json`;
      await editFirst({ url: cancel, body: formBody({ token }), contentType, signal }, ports);
    }
    return result;
  },
});

function formOf({ message, content, options: { token, user, emergency } }: Sending<z.output<typeof options>>) {
  const [link] = content.links;
  const isOver = message.state === 'up';
  const rings = emergency && message.severity === 'critical' && !isOver;
  return {
    token,
    user,
    title: cutText(content.title, maxTitle),
    message: fittedText({ ...content, title: '', links: [] }, maxText).trim() || content.title,
    priority: isOver ? '0' : rings ? '2' : priorities[message.severity],
    timestamp: String(Math.floor((message.until ?? message.since) / 1000)),
    ...(link && link.url.length <= maxUrl && { url: link.url, url_title: link.label }),
    ...(rings && { retry: '60', expire: '3600' }),
  };
}

const contentType = 'application/x-www-form-urlencoded';
const maxTitle = 250;
const maxText = 1024;
const maxUrl = 512;
const priorities = { critical: '1', warning: '0', info: '-1' } as const;

function accept(answer: Answer): SendResult {
  if (answer.json?.['status'] !== 1) return retry(`expected status 1, got ${answerText(answer)}`);
  const receipt = answer.json['receipt'];
  return {
    outcome: 'delivered',
    text: answerText(answer),
    ...(typeof receipt === 'string' && { receipt: { receipt } }),
  };
}

/** 400 is also the answer to a key that is not, or no longer, valid. */
function reject({ status, json, ...rest }: Answer): SendResult | undefined {
  const isAboutKeys = status === 400 && (json?.['user'] !== undefined || json?.['token'] !== undefined);
  return isAboutKeys ? { outcome: 'broken', text: answerText({ status, json, ...rest }) } : undefined;
}
