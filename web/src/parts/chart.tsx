import uPlot from 'uplot';
import { useEffect, useRef } from 'preact/hooks';
import { latencyText, shortTimeText } from '../texts.ts';

export interface Line {
  readonly name: string;
  /** One for each of the times; null is a gap. */
  readonly values: readonly (number | null)[];
}

interface Props {
  /** Epoch seconds, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly label: string;
}

const heightPx = 220;
/** Told apart also by those who see few colours (Okabe and Ito). */
const colours = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];

/** Milliseconds over time, a line for each place. */
export function Chart({ times, lines, label }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => (place.current ? draw(place.current, times, lines) : undefined), [times, lines]);
  return (
    <>
      <p class="keys">
        {lines.map(({ name }, at) => (
          <span key={name} class={`key line-${(at % colours.length) + 1}`}>
            {name}
          </span>
        ))}
      </p>
      <div ref={place} class="plot" role="img" aria-label={label} />
    </>
  );
}

/** @returns what takes the drawing away */
function draw(element: HTMLElement, times: Props['times'], lines: Props['lines']): () => void {
  // The lines were made over these times.
  const data = [[...times], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
  const plot = new uPlot({ ...looks(element, times, lines), width: element.clientWidth }, data, element);
  const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }));
  resize.observe(element);
  return () => {
    resize.disconnect();
    plot.destroy();
  };
}

function looks(element: HTMLElement, times: Props['times'], lines: Props['lines']): Omit<uPlot.Options, 'width'> {
  const colour = colourReader(element);
  const rangeMs = ((times.at(-1) ?? 0) - (times[0] ?? 0)) * 1000;
  const axis = { stroke: colour('--ink-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const timeTexts = (_plot: uPlot, values: readonly number[]) =>
    values.map((time) => shortTimeText(time * 1000, rangeMs));
  return {
    height: heightPx,
    legend: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, (max || 1) * 1.1] } },
    axes: [
      { ...axis, space: 90, values: timeTexts },
      { ...axis, size: 64, values: (_plot, values) => values.map(latencyText) },
    ],
    series: [
      {},
      ...lines.map(({ name }, at) => ({ label: name, stroke: colour(colours[at % colours.length] ?? ''), width: 1.5 })),
    ],
  };
}

/** A canvas knows neither variables nor light-dark(): an element says what they are here. */
function colourReader(element: HTMLElement): (variable: string) => string {
  const style = getComputedStyle(element);
  return (variable) => {
    element.style.color = `var(${variable})`;
    return style.color;
  };
}
