import { html, type Markup } from './markup.ts';
import type { ReportedSeat } from './session-report.ts';

interface Period {
  readonly from: number;
  readonly to: number;
}

const width = 1000;
const height = 40;
/** So narrow that it would not be seen is drawn wider. */
const leastWidth = 6;

/** The session as a bar: watched, not watched, and where notices came. Says in words what it shows. */
export function timeline({ sensors, notices, name }: ReportedSeat, session: Period): Markup {
  const x = (at: number): number =>
    Math.min(1, Math.max(0, (at - session.from) / Math.max(1, session.to - session.from))) * width;
  const blind = blindTimes(sensors);
  const bars = blind.map(({ from, to }) => bar('blind', x(from), Math.max(leastWidth, x(to) - x(from))));
  const marks = notices.map(({ at, severity }) => bar(`at-${severity}`, x(Date.parse(at)), leastWidth));
  const label = `${name}: ${blind.length === 0 ? 'watched throughout' : `not watched ${blind.length} times`}, ${notices.length} notices`;
  return html`<svg
    class="time"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label}"
  >
    ${bar('watched', 0, width)}${bars}${marks}
  </svg>`;
}

/** What no sensor or not every sensor watched, each moment once. */
export function blindTimes(sensors: ReportedSeat['sensors']): readonly Period[] {
  const times = sensors
    .flatMap(({ blind }) => blind.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })))
    .toSorted((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const time of times) {
    const last = merged.at(-1);
    if (last && time.from <= last.to) last.to = Math.max(last.to, time.to);
    else merged.push({ ...time });
  }
  return merged;
}

function bar(kind: string, x: number, length: number): Markup {
  const from = Math.min(x, width - leastWidth);
  return html`<rect
    class="${kind}"
    x="${from.toFixed(1)}"
    y="1"
    width="${Math.min(length, width - from).toFixed(1)}"
    height="${height - 2}"
  />`;
}
