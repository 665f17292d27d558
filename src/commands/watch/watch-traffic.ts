import { WriteStream } from 'node:tty';
import { systemClock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { SensorRecord } from '../../core/record.ts';
import { recordText } from '../../records/record-text.ts';
import { openPeerCounter } from '../../sensors/traffic/open-counter.ts';
import { TrafficObserver } from '../../sensors/traffic/observer.ts';
import { trafficOptions, type TrafficOptions } from '../../sensors/traffic/options.ts';
import { surroundings } from '../../sensors/traffic/surroundings.ts';
import { everyStep } from '../../sensors/traffic/traffic.ts';
import { LineOutput } from '../../terminal/line-output.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatTime } from '../../terminal/result-line.ts';
import { Screen, type ScreenSize } from '../../terminal/screen.ts';
import { trafficLines, type TrafficNotice } from '../../terminal/traffic-view.ts';
import { aborted } from '../interruption.ts';
import { keysIn, TrafficControls, type TrafficOrder } from './traffic-controls.ts';
import { PeerSource } from './traffic-picture.ts';

const maxNotices = 20;
const flushLimitMs = 500;

export interface TrafficFlags {
  readonly interface?: string;
  readonly names?: TrafficOptions['names'];
  readonly sort?: TrafficOrder;
  readonly json?: true;
}

interface Watching {
  readonly output: NodeJS.WriteStream;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Shows whom this machine talks to until the signal: on a terminal as a table that is redrawn, else record by record; in the
 * end what there was in all. @throws {AppError} unavailable, without the right to see packets
 */
export async function watchTraffic(flags: TrafficFlags, watching: Watching): Promise<void> {
  const { output } = watching;
  const isLive = output instanceof WriteStream && output.isTTY && !flags.json;
  await (isLive ? watchLive(flags, { ...watching, output }) : watchRecords(flags, watching));
}

async function watchRecords(flags: TrafficFlags, { output, signal }: Watching): Promise<void> {
  const lines = new LineOutput(output, (skipped) => process.stderr.write(`${skipped} lines were not read in time\n`));
  const write = (record: SensorRecord): void => {
    const at = systemClock.now();
    if (flags.json) lines.write(JSON.stringify({ at: new Date(at).toISOString(), ...record }));
    else lines.write(`${formatTime(at)} - ${recordText(record, 'traffic')}`);
  };
  using observer = observe(flags, write);
  write({ event: 'sensor-state', ...observer.state });
  const cancel = everyStep(systemClock, () => {
    observer.step();
    if (observer.isRecordDue) for (const record of observer.takeRecords(flags.interface)) write(record);
  });
  await aborted(signal);
  cancel();
  observer.step();
  for (const record of observer.takeRecords(flags.interface)) write(record);
  // What nobody reads would keep the process alive.
  if (!(await lines.flush(flushLimitMs))) process.exit();
}

async function watchLive(flags: TrafficFlags, { output, signal }: Watching & { output: WriteStream }): Promise<void> {
  const notices: TrafficNotice[] = [];
  const note = (record: SensorRecord): void => {
    if (record.event === 'surroundings' && record.change === 'present') return;
    const text = `${formatTime(systemClock.now())} ${recordText(record)}`;
    notices.push({ text, isAlarm: record.event === 'forbidden-peer' || record.event === 'scan' });
    if (notices.length > maxNotices) notices.shift();
  };
  using observer = observe(flags, note);
  if (observer.state.state === 'limited') note({ event: 'sensor-state', ...observer.state });
  const paint = paintFor(output);
  const controls = new TrafficControls(flags.sort ?? '2s');
  const source = new PeerSource(observer, flags.interface);
  const picture = (size: ScreenSize): readonly string[] =>
    trafficLines({ ...source.picture(controls, size.rows), notices }, size, paint);
  {
    using screen = new Screen(output, picture);
    screen.draw();
    const quit = new AbortController();
    using _keys = onKeys((key) => {
      controls.press(key);
      if (controls.isOver) quit.abort();
      screen.draw();
    });
    const cancel = everyStep(systemClock, () => {
      observer.step();
      screen.draw();
    });
    await aborted(AbortSignal.any([signal, quit.signal]));
    cancel();
  }
  observer.step();
  for (const record of observer.takeRecords(flags.interface)) output.write(`${recordText(record)}\n`);
}

/** @throws {AppError} unavailable, usage */
function observe(flags: TrafficFlags, record: (record: SensorRecord) => void): TrafficObserver {
  const options = trafficOptions.parse({ names: flags.names });
  const isWanted = (record: SensorRecord): boolean =>
    flags.interface === undefined || !('interface' in record) || record.interface === flags.interface;
  const observer = new TrafficObserver({
    options,
    clock: systemClock,
    record: (seen) => isWanted(seen) && record(seen),
    surroundings,
    openCounter: openPeerCounter,
  });
  if (observer.state.state === 'unavailable') {
    observer[Symbol.dispose]();
    throw new AppError('unavailable', observer.state.message);
  }
  const names = observer.interfaces.map(({ name }) => name);
  if (flags.interface === undefined || names.includes(flags.interface)) return observer;
  observer[Symbol.dispose]();
  throw new AppError('usage', `--interface: expected one of ${names.join(', ')}, got ${flags.interface}`);
}

/** Hands on each key as it is pressed, until disposed; nothing where standard input is no terminal. */
function onKeys(hear: (key: string) => void): Disposable {
  const { stdin } = process;
  if (!stdin.isTTY) return { [Symbol.dispose]() {} };
  const onData = (data: Buffer): void => {
    for (const key of keysIn(data.toString('utf8'))) hear(key);
  };
  stdin.setRawMode(true).on('data', onData).resume();
  return {
    [Symbol.dispose]() {
      stdin.off('data', onData).pause().setRawMode(false);
    },
  };
}
