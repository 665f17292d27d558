import { htmlText } from '../../core/html-text.ts';
import { printable } from '../../core/printable.ts';

/** Text that is HTML already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Inserted = Markup | string | number | readonly Markup[];

/** HTML in which whatever is inserted is text, unless it is HTML itself: a name with markup in it is shown as it is written. */
export function html(parts: TemplateStringsArray, ...inserted: readonly Inserted[]): Markup {
  const texts = parts.flatMap((part, index) => (index === 0 ? [part] : [textOf(inserted[index - 1] ?? ''), part]));
  return new Markup(texts.join(''));
}

function textOf(value: Inserted): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return htmlText(printable(String(value)));
}
