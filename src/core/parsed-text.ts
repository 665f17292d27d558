import { z } from 'zod';

const usualMaxLength = 65_536;

/** An option whose text must parse: what `parse` throws becomes the option's mistake, after what was expected. */
export function parsedText(parse: (text: string) => unknown, expected: string, maxLength = usualMaxLength) {
  return z
    .string()
    .max(maxLength)
    .superRefine((text, context) => {
      try {
        parse(text);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        context.addIssue({ code: 'custom', message: `expected ${expected}: ${why}`, input: text });
      }
    });
}
