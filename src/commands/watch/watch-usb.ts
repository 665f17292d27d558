import { systemClock } from '../../core/clock.ts';
import type { SensorRecord } from '../../core/record.ts';
import type { SensorName, SensorState } from '../../core/sensor.ts';
import { mounts } from '../../sensors/mounts/mounts.ts';
import { usb } from '../../sensors/usb/usb.ts';
import { LineOutput } from '../../terminal/line-output.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatRecord } from '../../terminal/record-line.ts';
import { formatTime } from '../../terminal/result-line.ts';
import { aborted } from '../interruption.ts';

interface Watching {
  readonly output: NodeJS.WriteStream;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Shows the USB devices and file systems that are there, then those that come and go, one a line, until the signal. */
export async function watchUsb(flags: { readonly json?: true }, { output, signal }: Watching): Promise<void> {
  const lines = new LineOutput(output, (skipped) => process.stderr.write(`${skipped} lines were not read in time\n`));
  const paint = paintFor(output);
  const write = (sensor: SensorName, record: SensorRecord): void => {
    const at = systemClock.now();
    if (flags.json) lines.write(JSON.stringify({ at: new Date(at).toISOString(), sensor, ...record }));
    else lines.write(`${paint('dim', formatTime(at))} - ${formatRecord(record, sensor, paint)}`);
  };
  const contextOf = (sensor: SensorName) => ({
    clock: systemClock,
    record: (record: SensorRecord) => write(sensor, record),
    onState: (state: SensorState) => write(sensor, { event: 'sensor-state', ...state }),
  });
  const running = [
    await usb.start({ known: [] }, contextOf('usb')),
    await mounts.start({ all: false }, contextOf('mounts')),
  ];
  await aborted(signal);
  for (const sensor of running) await sensor.stop();
  await lines.flush(1000);
}
