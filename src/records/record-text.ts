import type { NoticeSeverity } from '../core/notice.ts';
import { printable } from '../core/printable.ts';
import { quoted } from '../core/quoted.ts';
import type { BlindCause, Mount, SensorRecord, UsbDevice, UsbRisk } from '../core/record.ts';
import type { SensorName } from '../core/sensor.ts';
import { recordVersion } from './chain.ts';
import { firstMountText } from './first-text.ts';
import { isOfNetwork, networkNotice, networkText, type NetworkRecord } from './network-text.ts';
import { trafficText } from './traffic-text.ts';

type RecordOf<Event extends SensorRecord['event']> = Extract<SensorRecord, { event: Event }>;
type PlainRecord = Exclude<SensorRecord, RecordOf<'traffic'> | NetworkRecord>;

interface Heading {
  readonly line: string;
  /** Sentence for people who watch many machines, placed before the machine's name; absent for records that need no notice. */
  readonly notice?: string;
  /** The record is about the sensor itself. */
  readonly isOfSensor?: true;
}

const headings: Readonly<Record<PlainRecord['event'], Heading>> = {
  'usb-present': { line: 'usb device present', notice: 'usb device present at the start on' },
  'usb-connected': { line: 'usb device connected', notice: 'usb device connected by' },
  'usb-removed': { line: 'usb device removed', notice: 'usb device removed by' },
  'usb-function': { line: 'usb device provides' },
  'usb-alarm': { line: 'ALARM usb device', notice: 'ALARM usb device of' },
  'usb-notice': { line: 'usb device notice', notice: 'usb device notice of' },
  'mount-present': { line: 'mount present' },
  mounted: { line: 'mounted', notice: 'mounted by' },
  remounted: { line: 'remounted', notice: 'remounted by' },
  unmounted: { line: 'unmounted', notice: 'unmounted by' },
  'sensor-started': { line: 'sensor started', isOfSensor: true },
  'sensor-stopped': { line: 'sensor stopped', notice: 'sensor stopped of', isOfSensor: true },
  'sensor-state': { line: 'sensor', notice: 'sensor of', isOfSensor: true },
  lost: { line: 'lost', notice: 'lost by', isOfSensor: true },
  forged: { line: 'ALARM forged', notice: 'ALARM forged by', isOfSensor: true },
  'clock-jump': { line: 'clock moved', notice: 'clock moved of', isOfSensor: true },
  watching: { line: 'watching', isOfSensor: true },
  'not-watching': { line: 'not watching', notice: 'not watching on', isOfSensor: true },
};

/** Risks of a device that can carry data in or out: people are told of it even if it is there at the start. */
const carriesData: readonly UsbRisk[] = ['storage', 'network', 'imaging', 'wireless'];

const blindSentences: Readonly<Record<BlindCause, string>> = {
  stopped: 'the agent was stopped and started again',
  restarted: 'the machine was restarted',
  killed: 'the agent ended without being stopped: it was killed or it crashed',
  'lost-power': 'the machine lost power, or was restarted without stopping the agent',
  asleep: 'the machine was asleep',
  paused: "the agent's process did not run: it was halted, or the machine was overloaded",
};

/**
 * A record as text for people: one line, or several for a table, without a final line feed. The same record of the same sensor
 * and version always gives the same text, so that the records prove the text. Without `sensor`, the reader knows which it is.
 */
export function recordText(record: SensorRecord, sensor?: SensorName, version: number = recordVersion): string {
  if (record.event === 'traffic') return trafficText(record);
  if (isOfNetwork(record)) return networkText(record, version);
  return printable(`${headings[record.event].line}${whichOf(record, sensor)}: ${detailOf(record, version)}`);
}

export interface NoticeNaming {
  /** The seat, as the notice calls it. */
  readonly machine: string;
  readonly sensor: SensorName;
  /** What the notice calls a host; its address if absent. */
  readonly nameOf?: (address: string) => string;
}

/** The sentence for people who watch many machines; undefined for records that need no notice. */
export function noticeOf(record: SensorRecord, { machine, sensor, nameOf }: NoticeNaming): string | undefined {
  if (record.event === 'traffic' || (record.event === 'sensor-state' && record.state === 'running')) return undefined;
  if (isOfNetwork(record)) return networkNotice(record, { machine, ...(nameOf && { nameOf }) });
  if ('device' in record && !isWorthANotice(record)) return undefined;
  const { notice } = headings[record.event];
  if (notice === undefined) return undefined;
  return printable(`${notice} ${machine}${whichOf(record, sensor)}: ${detailOf(record, recordVersion)}`);
}

/** People are not told of known devices of the machine, nor of one that is there at the start and carries no data. */
function isWorthANotice(record: Extract<PlainRecord, { device: UsbDevice }>): boolean {
  if ('isKnown' in record && record.isKnown) return false;
  return record.event !== 'usb-present' || record.device.risks.some((risk) => carriesData.includes(risk));
}

/** The alarm of a record that an undisturbed agent never writes; undefined for other records. */
export function alarmOf(
  record: SensorRecord,
): { readonly cause: 'not-watching' | 'clock-jump'; readonly message: string } | undefined {
  const isAlarm = record.event === 'clock-jump' || (record.event === 'not-watching' && !inOrder.includes(record.cause));
  return isAlarm ? { cause: record.event, message: detailOf(record, recordVersion) } : undefined;
}

/** How grave the notice of a record is. */
export function severityOf(record: SensorRecord): NoticeSeverity {
  const isAlarm = alarmEvents.includes(record.event) || alarmOf(record) !== undefined;
  return isAlarm ? 'alarm' : 'notice';
}

const alarmEvents: readonly SensorRecord['event'][] = ['usb-alarm', 'forged', 'forbidden-peer', 'scan'];

/** An administrator does this too. */
const inOrder: readonly BlindCause[] = ['stopped', 'restarted'];

function whichOf({ event }: PlainRecord, sensor: SensorName | undefined): string {
  return sensor !== undefined && headings[event].isOfSensor ? ` (${sensor})` : '';
}

function detailOf(record: PlainRecord, version: number): string {
  if ('why' in record) return `${record.why}: ${usbText(record.device)}`;
  if ('device' in record) return usbText(record.device);
  if ('mount' in record) return version === 1 ? firstMountText(record.mount) : mountText(record.mount);
  if ('subsystem' in record) return functionText(record);
  if ('seconds' in record) return blindText(record);
  if ('byMs' in record) return `by ${(record.byMs / 1000).toFixed(3)} s`;
  if ('state' in record) return `${record.state}: ${record.message}`;
  if (!('message' in record)) return 'nothing happened';
  const count = 'count' in record && record.count !== undefined ? ` (${record.count})` : '';
  return `${record.message}${count}`;
}

/** `SanDisk Cruzer Blade (0781:5567), serial 4C53, port 2-1, storage`. */
function usbText({ manufacturer, product, vendorId, productId, serial, port, risks }: UsbDevice): string {
  const name = [manufacturer, product].filter((part) => part !== undefined && part !== '').join(' ');
  const known = [
    `${name === '' ? 'unnamed' : name} (${vendorId}:${productId})`,
    serial === undefined ? undefined : `serial ${serial}`,
    `port ${port}`,
    ...risks,
  ];
  return known.filter((part) => part !== undefined).join(', ');
}

function functionText({ port, subsystem, name, bytes, mac }: RecordOf<'usb-function'>): string {
  const size = bytes === undefined ? '' : `, ${bytes} bytes`;
  const address = mac === undefined ? '' : `, mac ${mac}`;
  return `${subsystem} ${name}${size}${address}, port ${port}`;
}

/** Why nobody watched, as a sentence without its full stop. */
export function blindReason(cause: BlindCause): string {
  return blindSentences[cause];
}

function blindText({ cause, from, seconds }: RecordOf<'not-watching'>): string {
  return `${seconds.toFixed(1)} s from ${new Date(from).toISOString()}: ${blindReason(cause)}`;
}

/** `device=/dev/sdb1, mountpoint=/media/x, fstype=vfat, opts=rw,nosuid, kind=usb, port=2-1`. */
function mountText({ device, mountpoint, fstype, options, kind, usbPort }: Mount): string {
  const fields = [
    ['device', device],
    ['mountpoint', mountpoint],
    ['fstype', fstype],
    ['opts', options],
    ['kind', kind],
    ...(usbPort === undefined ? [] : [['port', usbPort] as const]),
  ] as const;
  return fields.map(([key, value]) => `${key}=${fieldText(key, value)}`).join(', ');
}

/** In quotes if it could be read as the end of the field or the beginning of another; options have `,` and `=` of their own. */
function fieldText(key: string, value: string): string {
  const isPlain = key === 'opts' ? !/["\s]|^$/.test(value) : !/["\s,=]|^$/.test(value);
  return isPlain ? value : quoted(value, value.length);
}
