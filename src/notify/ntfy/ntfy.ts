import { z } from 'zod';
import { byteSize, cutText, fittedText } from '../content.ts';
import { acceptWith, caOption, sendOverHttp, serverUrl } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  url: serverUrl('Address of the server', 'https://ntfy.sh').default('https://ntfy.sh'),
  topic: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'expected a topic of letters, digits, _ and -')
    .meta({
      description: 'Topic; who knows its name may read it',
      example: '${file:/run/secrets/ntfy-topic}',
      secret: true,
    }),
  token: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected a token without spaces')
    .optional()
    .meta({
      description: 'Access token',
      example: '${file:/run/secrets/ntfy}',
      secret: true,
    }),
  ca: caOption,
});

export const ntfy = defineNotifier({
  kind: 'ntfy',
  title: 'ntfy',
  summary: 'Pushes to phones and desktops that follow a topic of ntfy.sh or of your own server.',
  notes: ['From server 2.16 on later news replaces the first message of its incident; older servers show both.'],
  options,
  // 60 at once, then one each 5 s.
  rate: { burst: 20, perSecond: 0.15 },
  async send({ message, content, options: { url, topic, token, ca }, signal }, ports) {
    const { title, links } = content;
    const body = JSON.stringify({
      topic,
      title: cutText(title, maxTitleBytes, byteSize),
      message: fittedText({ ...content, title: '', links: [] }, maxBytes, byteSize).trim() || title,
      priority: message.state === 'up' ? 3 : priorities[message.severity],
      tags: [message.state === 'up' ? 'white_check_mark' : 'rotating_light'],
      sequence_id: message.thread,
      ...(links[0] && { click: links[0].url }),
      actions: links.map(({ label, url }) => ({ action: 'view', label, url })),
    });
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return await sendOverHttp({ url: `${url}/`, headers, body, ca, signal }, ports, { accept: acceptWith('id') });
  },
});

// The server takes 4,096 bytes of text, and 1 KB of title.
const maxBytes = 3800;
const maxTitleBytes = 250;
const priorities = { critical: 5, warning: 4, info: 3 } as const;
