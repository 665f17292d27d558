const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
const yearMs = 365.25 * dayMs;

/** How far two times are apart, as a person says it: `12.345 ms`, `1.500 s`, `5 min 3 s`, `1 h`, `3 d 4 h`, `28.1 years`. */
export function formatSpan(spanMs: number): string {
  const sizeMs = Math.abs(spanMs);
  const sign = spanMs < 0 ? '-' : '';
  if (sizeMs < secondMs) return `${sign}${sizeMs.toFixed(3)} ms`;
  if (sizeMs < minuteMs) return `${sign}${(sizeMs / secondMs).toFixed(3)} s`;
  if (roundedTo(sizeMs, secondMs) < hourMs) return sign + inTwo(sizeMs, [minuteMs, 'min'], [secondMs, 's']);
  if (roundedTo(sizeMs, minuteMs) < dayMs) return sign + inTwo(sizeMs, [hourMs, 'h'], [minuteMs, 'min']);
  if (roundedTo(sizeMs, hourMs) < yearMs) return sign + inTwo(sizeMs, [dayMs, 'd'], [hourMs, 'h']);
  return `${sign}${(sizeMs / yearMs).toFixed(1)} years`;
}

function roundedTo(sizeMs: number, unitMs: number): number {
  return Math.round(sizeMs / unitMs) * unitMs;
}

type SpanUnit = readonly [ms: number, name: string];

/** In a unit and a smaller one, which is left out where there is none of it. */
function inTwo(sizeMs: number, [largeMs, large]: SpanUnit, [smallMs, small]: SpanUnit): string {
  const rounded = roundedTo(sizeMs, smallMs);
  const rest = Math.round((rounded % largeMs) / smallMs);
  return `${Math.floor(rounded / largeMs)} ${large}${rest > 0 ? ` ${rest} ${small}` : ''}`;
}
