const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The text as HTML in which it is only text, also in a quoted attribute. */
export function htmlText(text: string): string {
  return text.replaceAll(/[&<>"']/g, entityOf);
}

/** As Slack and Telegram ask for it: of the characters that mean something to them, no other may be escaped. */
export function tagText(text: string): string {
  return text.replaceAll(/[&<>]/g, entityOf);
}

function entityOf(character: string): string {
  return entities[character] ?? character;
}
