import type { Status } from '../model.ts';
import { texts } from '../texts.ts';

interface Props {
  readonly status: Status | 'paused';
  /** Another word than that of the status; empty: the glyph alone, and the word for those who hear the page. */
  readonly word?: string | undefined;
}

/** One glyph, one colour, one word for each status: never colour alone. */
export function StatusMark({ status, word = texts.status[status] }: Props) {
  return (
    <span class={`st ${status}`} title={texts.status[status]}>
      <svg viewBox="0 0 14 14" aria-hidden="true">
        {glyphs[status]}
      </svg>
      {word === '' ? <span class="unseen">{texts.status[status]}</span> : word}
    </span>
  );
}

const glyphs = {
  up: <circle cx="7" cy="7" r="5" fill="currentColor" />,
  degraded: <path d="M7 1.5 13 12.5H1z" fill="currentColor" />,
  down: (
    <>
      <rect x="1.5" y="1.5" width="11" height="11" rx="2" fill="currentColor" />
      <path d="M4.6 4.6l4.8 4.8m0-4.8l-4.8 4.8" stroke="var(--panel)" stroke-width="1.6" />
    </>
  ),
  unknown: (
    <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="2.6 2.2" />
  ),
  paused: <path d="M4.5 2.5v9m5-9v9" stroke="currentColor" stroke-width="2.4" />,
} as const;
