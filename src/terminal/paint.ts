import { styleText } from 'node:util';
import type { Status } from '../core/outcome.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'magenta' | 'cyan';

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;

/** Colours for a stream: only on a terminal, and not when `NO_COLOR` asks for none. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

export const styleOf: Readonly<Record<Status, Style>> = {
  up: 'green',
  degraded: 'yellow',
  down: 'red',
  unknown: 'magenta',
};
