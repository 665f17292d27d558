import type { Paint } from './paint.ts';
import { formatLength } from './time-length.ts';
import { formatTable } from './table.ts';

export interface AvailabilityRow {
  readonly monitor: string;
  /** 0 to 1; null where nothing is known. */
  readonly available: number | null;
  readonly downMs: number;
  readonly degradedMs: number;
  readonly unknownMs: number;
  readonly maintenanceMs: number;
}

export function formatAvailability(
  rows: readonly AvailabilityRow[],
  view: { readonly paint: Paint; readonly columns: number },
): string {
  return formatTable(
    rows,
    [
      { title: 'MONITOR', textOf: ({ monitor }) => monitor },
      { title: 'AVAILABLE', textOf: ({ available }) => shareText(available), align: 'right' },
      { title: 'DOWN', textOf: ({ downMs }) => span(downMs), align: 'right' },
      { title: 'DEGRADED', textOf: ({ degradedMs }) => span(degradedMs), align: 'right', goesBelow: 1 },
      { title: 'UNKNOWN', textOf: ({ unknownMs }) => span(unknownMs), align: 'right' },
      { title: 'MAINTENANCE', textOf: ({ maintenanceMs }) => span(maintenanceMs), align: 'right', goesBelow: 2 },
    ],
    view,
  );
}

function span(ms: number): string {
  return ms === 0 ? '' : formatLength(ms);
}

/** Never rounded up to 100 %: one failure in a year shows. */
function shareText(available: number | null): string {
  if (available === null) return 'unknown';
  return available === 1 ? '100 %' : `${(Math.floor(available * 100_000) / 1000).toFixed(3)} %`;
}
