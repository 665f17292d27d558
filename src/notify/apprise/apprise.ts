import { z } from 'zod';
import { fittedText } from '../content.ts';
import { acceptNoPage, answerText, caOption, sendOverHttp, serverUrl } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  url: serverUrl('Address of an Apprise API server', 'http://127.0.0.1:8000'),
  key: z
    .string()
    .regex(/^[\w-]{1,128}$/, 'expected a key of letters, digits, _ and -')
    .meta({
      description: 'Key of a configuration that is kept there',
      example: '${file:/run/secrets/apprise-key}',
      secret: true,
    }),
  tag: z
    .string()
    .regex(/^[\w, -]{1,100}$/, 'expected tags of letters, digits, _ and -')
    .optional()
    .meta({
      description: 'Tells only the services with this tag',
      example: 'on-call',
    }),
  ca: caOption,
});

export const apprise = defineNotifier({
  kind: 'apprise',
  title: 'Apprise',
  summary: 'Hands the message to your own Apprise API server, which reaches about 130 more services.',
  notes: [
    'When one of several services fails (424), the message is not sent to all of them again: it counts as refused, and the fallback gets it.',
  ],
  options,
  rate: { burst: 5, perSecond: 1 },
  async send({ message, content, options: { url, key, tag, ca }, signal }, ports) {
    const body = JSON.stringify({
      title: content.title,
      body: fittedText({ ...content, title: '' }, maxText).trim() || content.title,
      type: message.state === 'up' ? 'success' : types[message.severity],
      format: 'text',
      ...(tag !== undefined && { tag }),
    });
    return await sendOverHttp({ url: `${url}/notify/${key}`, body, ca, signal }, ports, {
      accept: acceptNoPage,
      reject: (answer) =>
        answer.status === 424
          ? { outcome: 'refused', text: `one of the services failed: ${answerText(answer)}` }
          : undefined,
    });
  },
});

const maxText = 8000;
const types = { critical: 'failure', warning: 'warning', info: 'info' } as const;
