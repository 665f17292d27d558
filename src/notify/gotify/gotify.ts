import { z } from 'zod';
import { fittedText } from '../content.ts';
import { acceptWith, caOption, sendOverHttp, serverUrl } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  url: serverUrl('Address of the server', 'https://gotify.example'),
  token: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'expected the token of an application')
    .meta({
      description: 'Token of an application of the server',
      example: '${file:/run/secrets/gotify}',
      secret: true,
    }),
  ca: caOption,
});

export const gotify = defineNotifier({
  kind: 'gotify',
  title: 'Gotify',
  summary: 'Pushes to phones and browsers by your own Gotify server.',
  notes: [],
  options,
  rate: { burst: 20, perSecond: 2 },
  async send({ message, content, options: { url, token, ca }, signal }, ports) {
    const [link] = content.links;
    const body = JSON.stringify({
      title: content.title,
      message: fittedText({ ...content, title: '' }, maxText).trim() || content.title,
      priority: message.state === 'up' ? 4 : priorities[message.severity],
      extras: {
        'client::display': { contentType: 'text/plain' },
        ...(link && { 'client::notification': { click: { url: link.url } } }),
      },
    });
    return await sendOverHttp({ url: `${url}/message`, headers: { 'x-gotify-key': token }, body, ca, signal }, ports, {
      accept: acceptWith('id'),
    });
  },
});

const maxText = 8000;
const priorities = { critical: 8, warning: 5, info: 2 } as const;
