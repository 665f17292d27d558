import type { SensorRecord } from '../core/record.ts';
import { recordText } from '../records/record-text.ts';
import type { SensorName } from '../core/sensor.ts';
import type { Paint, Style } from './paint.ts';

/** A record as text for people, in the colour of its severity. */
export function formatRecord(record: SensorRecord, sensor: SensorName, paint: Paint): string {
  const style = styleOf(record);
  const text = recordText(record, sensor);
  return style ? paint(style, text) : text;
}

const styles: Partial<Record<SensorRecord['event'], Style>> = {
  'usb-alarm': 'red',
  forged: 'red',
  'forbidden-peer': 'red',
  'usb-notice': 'yellow',
  scan: 'red',
  'lan-access': 'yellow',
  'more-contacts': 'yellow',
  'contact-volume': 'yellow',
  'passed-on': 'yellow',
  'peer-mac': 'yellow',
  lost: 'yellow',
  'not-watching': 'yellow',
  'clock-jump': 'yellow',
  watching: 'dim',
  'usb-connected': 'green',
  mounted: 'green',
  'usb-removed': 'cyan',
  unmounted: 'cyan',
};

const risky = ['storage', 'keyboard', 'network'];

function styleOf(record: SensorRecord): Style | undefined {
  if (record.event === 'surroundings') return record.change === 'present' ? undefined : 'yellow';
  if (record.event === 'sensor-state') return record.state === 'running' ? 'dim' : 'yellow';
  const isRisky = record.event === 'usb-connected' && record.device.risks.some((risk) => risky.includes(risk));
  return isRisky ? 'yellow' : styles[record.event];
}
