import { z } from 'zod';
import { fittedText } from '../content.ts';
import { acceptWith, secretUrl, sendOverHttp } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  // Whatever alone allows to send is a secret: `secretUrl`, or `.meta({ secret: true })`.
  webhookUrl: secretUrl('Address that takes messages', '${file:/run/secrets/template}'),
});

/** The documentation of the provider: https://example.com/docs. */
export const template = defineNotifier({
  kind: 'template',
  title: 'Template',
  summary: 'Writes to a channel of Template.',
  notes: ['What people have to know who set it up.'],
  options,
  // Below the limit of the provider.
  rate: { burst: 5, perSecond: 1 },
  async send({ message, content, options: { webhookUrl }, signal }, ports) {
    // The longest text that the provider takes; its markup must be escaped, and sizes counted after that.
    const body = JSON.stringify({ key: message.id, text: fittedText(content, 4000) });
    return await sendOverHttp({ url: webhookUrl, body, signal }, ports, { accept: acceptWith('id') });
  },
});
