import { z } from 'zod';
import { byteSize, fittedText } from '../content.ts';
import { acceptNoPage, secretUrl, sendOverHttp } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  url: secretUrl(
    'Address of a workflow that starts "when a Teams webhook request is received"',
    '${file:/run/secrets/teams}',
  ).refine(
    (text) => !/^https:\/\/[^/]*webhook\.office\.com(?:[:/]|$)/i.test(text),
    'expected the address of a workflow; Microsoft has retired connectors (webhook.office.com): make a workflow in Teams, by the menu of the channel',
  ),
});

export const teams = defineNotifier({
  kind: 'teams',
  title: 'Microsoft Teams',
  summary: 'Writes a card to a channel or chat, by a workflow.',
  notes: [
    'Teams answers before it posts: accepted is not delivered. Give such a notifier a fallback.',
    'A workflow belongs to a person, and stops when that account goes: let a service account make it.',
  ],
  options,
  rate: { burst: 4, perSecond: 1 },
  async send({ content, options: { url }, signal }, ports) {
    const { title, links } = content;
    const text = fittedText({ ...content, title: '', links: [] }, maxBytes, jsonSize).trim();
    const card = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      fallbackText: title,
      body: [
        textBlock(title, { weight: 'Bolder', size: 'Medium' }),
        ...text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => textBlock(line, {})),
      ],
      actions: links.map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
    };
    const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card };
    const body = JSON.stringify({ type: 'message', attachments: [attachment] });
    return await sendOverHttp({ url, body, signal }, ports, {
      accept: (answer) => {
        const result = acceptNoPage(answer);
        const isAccepted = result.outcome === 'delivered' && answer.status === 202;
        return isAccepted
          ? { ...result, text: `${result.text} (accepted; Teams does not say whether it was posted)` }
          : result;
      },
    });
  },
});

/** Teams takes 28 KB in all. */
const maxBytes = 20_000;
const jsonSize = (character: string): number => byteSize(JSON.stringify(character)) - 2;

/** A text run is shown as it is; a TextBlock would read Markdown. */
function textBlock(text: string, style: object) {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }] };
}
