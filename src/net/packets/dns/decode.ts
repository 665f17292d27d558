import { dnsClassName, internetClass } from './classes.ts';
import {
  dnssecOk,
  flagBits,
  optType,
  type DnsFlag,
  type DnsFlaw,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  type DnsSection,
  type Edns,
  type EdnsOption,
} from './message.ts';
import { DnsFormatError, DnsReader } from './reader.ts';
import { readRecordData, unknownData } from './record-data.ts';
import { recordTypeName } from './record-types.ts';

/** After this many flaws the rest of a message is not read. */
const maxFlaws = 20;
const flagNames = Object.keys(flagBits) as readonly DnsFlag[];

/**
 * Reads a message. A flaw after the questions is noted in `flaws`, and what is good around it is kept, as dig and the C
 * library do: a record's length tells where the next one begins.
 * @throws {DnsFormatError} if the header or a question cannot be read
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const reader = new DnsReader(bytes);
  const id = reader.u16();
  const bits = reader.u16();
  const questionCount = reader.u16();
  const counts = { answer: reader.u16(), authority: reader.u16(), additional: reader.u16() };
  const questions: DnsQuestion[] = [];
  // A count is only a claim: reading ends with an error where the bytes end.
  while (questions.length < questionCount) questions.push(readQuestion(reader));
  const sections = new SectionReader(reader);
  const answers = sections.read('answer', counts.answer);
  const authorities = sections.read('authority', counts.authority);
  const additionals = sections.read('additional', counts.additional);
  const { edns, rcodeHigh, flaws } = sections.finish();
  return {
    id,
    flags: flagNames.filter((name) => bits & flagBits[name]),
    opcode: (bits >> 11) & 0xf,
    rcode: (bits & 0xf) | (rcodeHigh << 4),
    questions,
    answers,
    authorities,
    additionals,
    ...(edns && { edns }),
    ...(flaws.length > 0 && { flaws }),
  };
}

function readQuestion(reader: DnsReader): DnsQuestion {
  const name = reader.name();
  const type = recordTypeName(reader.u16());
  return { name, type, ...classOf(reader.u16()) };
}

/** The class IN is left out. */
function classOf(code: number): { class?: string } {
  return code === internetClass ? {} : { class: dnsClassName(code) };
}

/** Reads the records of each section in turn, and collects their flaws. */
class SectionReader {
  readonly #reader: DnsReader;
  readonly #flaws: DnsFlaw[] = [];
  #edns: Edns | undefined;
  #rcodeHigh = 0;
  /** It is no longer known where the next record begins. */
  #isLost = false;

  constructor(reader: DnsReader) {
    this.#reader = reader;
  }

  read(section: DnsSection, count: number): readonly DnsRecord[] {
    const records: DnsRecord[] = [];
    for (let number = 1; number <= count && !this.#isLost; number++) {
      try {
        const record = this.#readRecord(section);
        if (record) records.push(record);
      } catch (error) {
        this.#note(section, `record ${number} of ${count} cannot be read: ${messageOf(error)}`);
        this.#isLost = true;
      }
    }
    return records;
  }

  finish(): { readonly edns: Edns | undefined; readonly rcodeHigh: number; readonly flaws: readonly DnsFlaw[] } {
    const { remaining } = this.#reader;
    if (remaining > 0 && !this.#isLost) this.#note('end', `${remaining} bytes after the end of the message`);
    return { edns: this.#edns, rcodeHigh: this.#rcodeHigh, flaws: this.#flaws };
  }

  #note(section: DnsSection, text: string): void {
    this.#flaws.push({ section, text });
    if (this.#flaws.length >= maxFlaws) this.#isLost = true;
  }

  /** Undefined for OPT, which is no record of its section. */
  #readRecord(section: DnsSection): DnsRecord | undefined {
    const reader = this.#reader;
    const name = reader.name();
    const typeCode = reader.u16();
    const classCode = reader.u16();
    const ttl = reader.u32();
    const dataBytes = reader.u16();
    reader.expect(dataBytes);
    if (typeCode === optType) {
      this.#readOpt(section, { name, udpSize: classCode, ttl, dataBytes });
      return undefined;
    }
    const type = recordTypeName(typeCode);
    // RFC 2181 section 8: a TTL with the top bit set is zero.
    const ttlSeconds = ttl > 0x7fff_ffff ? 0 : ttl;
    try {
      const data = reader.within(dataBytes, () => readRecordData(reader, type));
      return { name, type, ...classOf(classCode), ttlSeconds, data };
    } catch (error) {
      const flaw = messageOf(error);
      this.#note(section, `the ${type} record of ${name}: ${flaw}`);
      return { name, type, ...classOf(classCode), ttlSeconds, data: unknownData(reader.last(dataBytes)), flaw };
    }
  }

  /** RFC 6891 section 6.1.2: the class is the size of datagrams, the TTL holds the upper bits of the rcode and the flags. */
  #readOpt(section: DnsSection, { name, udpSize, ttl, dataBytes }: OptHeader): void {
    const reader = this.#reader;
    const options: EdnsOption[] = [];
    try {
      reader.within(dataBytes, () => {
        while (reader.remaining > 0) options.push({ code: reader.u16(), data: reader.bytes(reader.u16()) });
      });
    } catch (error) {
      this.#note(section, `the options of EDNS: ${messageOf(error)}`);
    }
    if (this.#edns || name !== '.' || section !== 'additional')
      return this.#note(
        section,
        'a second OPT record, or one that is not of the root, or not among the additional ones',
      );
    const version = (ttl >>> 16) & 0xff;
    this.#rcodeHigh = ttl >>> 24;
    this.#edns = {
      udpSize,
      dnssec: (ttl & dnssecOk) !== 0,
      ...(version > 0 && { version }),
      ...(options.length > 0 && { options }),
    };
  }
}

interface OptHeader {
  readonly name: string;
  readonly udpSize: number;
  readonly ttl: number;
  readonly dataBytes: number;
}

/** The message of a flaw in the bytes. Any other error is a bug and is thrown on. */
function messageOf(error: unknown): string {
  if (error instanceof DnsFormatError) return error.message;
  throw error;
}
