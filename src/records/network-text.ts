import { printable } from '../core/printable.ts';
import type { SensorRecord } from '../core/record.ts';
import {
  contactSentence,
  identityText,
  macSentence,
  moreContactsSentence,
  type Naming,
  passedOnSentence,
  plainNaming,
  scanSentence,
  surroundingsSentence,
  volumeSentence,
} from './contact-text.ts';
import { firstContactLine, firstContactText } from './first-text.ts';

type RecordOf<Event extends SensorRecord['event']> = Extract<SensorRecord, { event: Event }>;
/** A record about the network that reads as a sentence with a subject. */
export type NetworkRecord = RecordOf<
  | 'lan-access'
  | 'forbidden-peer'
  | 'more-contacts'
  | 'contact-volume'
  | 'scan'
  | 'passed-on'
  | 'surroundings'
  | 'peer-mac'
>;

/** The line of a record, as that version of the records has it. */
export function networkText(record: NetworkRecord, version: number): string {
  return printable(version === 1 ? firstNetworkLine(record) : networkLine(record));
}

/** The sentence for people who watch many machines; undefined if they need not be told. */
export function networkNotice(
  record: NetworkRecord,
  { machine, nameOf = plainNaming.nameOf }: Pick<Naming, 'machine'> & Partial<Naming>,
): string | undefined {
  if (record.event === 'more-contacts' || (record.event === 'surroundings' && record.change === 'present'))
    return undefined;
  return printable(alarmWord(record) + sentenceOf(record, { machine, nameOf }));
}

/** True for a record whose text is a sentence with a subject. */
export function isOfNetwork(record: SensorRecord): record is NetworkRecord {
  return Object.hasOwn(sentences, record.event);
}

/** The sentence, then what is known of the peer. */
function networkLine(record: NetworkRecord): string {
  const isOfOnePeer =
    record.event === 'lan-access' || record.event === 'forbidden-peer' || record.event === 'contact-volume';
  const known = isOfOnePeer ? `; ${identityText(record)}` : '';
  return `${alarmWord(record)}${sentenceOf(record, plainNaming)}${known}`;
}

/** Version 1 had only the two kinds of contact. */
function firstNetworkLine(record: NetworkRecord): string {
  if (record.event !== 'lan-access' && record.event !== 'forbidden-peer') return networkLine(record);
  return `${firstContactLine[record.event]}: ${firstContactText(record)}`;
}

function alarmWord({ event }: NetworkRecord): string {
  if (event === 'forbidden-peer') return 'ALARM forbidden peer: ';
  return event === 'scan' ? 'ALARM scan: ' : '';
}

type Sentences = {
  readonly [Event in NetworkRecord['event']]: (record: RecordOf<Event>, naming: Naming) => string;
};

const sentences: Sentences = {
  'lan-access': contactSentence,
  'forbidden-peer': contactSentence,
  'more-contacts': moreContactsSentence,
  'contact-volume': volumeSentence,
  scan: scanSentence,
  'passed-on': passedOnSentence,
  surroundings: surroundingsSentence,
  'peer-mac': macSentence,
};

function sentenceOf(record: NetworkRecord, naming: Naming): string {
  // Each function is filed under the event that it takes.
  return (sentences[record.event] as (record: NetworkRecord, naming: Naming) => string)(record, naming);
}
