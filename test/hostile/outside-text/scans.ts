import { decodeGrpcMessage, decodeHealthResponse } from '../../../src/net/packets/grpc.ts';
import { parseJson } from '../../../src/checks/http/json-document.ts';
import { identificationReader } from '../../../src/checks/ssh/identification.ts';
import { nearestWord } from '../../../src/core/nearest.ts';
import { printableBytes } from '../../../src/core/printable.ts';
import { SecretMask } from '../../../src/core/secrets.ts';
import { quoted } from '../../../src/core/quoted.ts';
import { ftpReply, imapReply, pop3List, smtpReply } from '../../../src/net/dialogue/replies.ts';
import { serverNameOf } from '../../../src/net/packets/client-hello.ts';
import { childrenOf } from '../../../src/net/packets/der.ts';
import { decodeMessage } from '../../../src/net/packets/dns/decode.ts';
import { ResponseParser } from '../../../src/net/packets/http1-response.ts';
import { EndedStreams } from '../../../src/net/packets/http2-frames.ts';
import { internetChecksum } from '../../../src/net/packets/ip.ts';
import { readDnsNames } from '../../../src/sensors/traffic/dns-names.ts';
import { readUsbInterfaces } from '../../../src/sensors/usb/descriptors.ts';
import { mebibyte } from './cpu-time.ts';

/** What reads outside text in a loop of its own, with the texts that cost it most. */
export interface Scan {
  readonly files: readonly string[];
  readonly about: string;
  /** Yields where the event loop gets its turn. Errors that the text deserves are no concern here. */
  readonly read: () => Iterable<unknown>;
}

const fill = (text: string, length = mebibyte): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);
const bytesOf = (text: string, length = mebibyte): Buffer => Buffer.from(fill(text, length), 'latin1');
const jsonTexts = ['"\\', '\\"', '"', '""', '[', '[]', '{"a":', '[1,', '"\\u0041"'];
const answer = 'HTTP/1.1 200 OK\r\n';
const chunked = `${answer}Transfer-Encoding: chunked\r\n\r\n`;
const httpTexts = [
  '\n',
  '\r\n',
  ' ',
  `${answer}${fill('a:\n')}`,
  `${answer}${fill(`x:${' '.repeat(1000)}\0\n`)}`,
  `${answer}x: y\r\n${fill(' \r\n')}`,
  `${answer}x:${fill('\t')}`,
  `${answer}${fill('HTTP/1.1 100 Continue\r\n\r\n')}`,
  `${answer}Content-Length: ${fill('1,')}`,
  `${answer}Transfer-Encoding: ${fill('identity,')}`,
  `${chunked}${fill('1\r\nx\r\n')}`,
  `${chunked}1;${fill('x')}`,
  `${chunked}0\r\n${fill('a:\r\n')}`,
];

/** As a socket brings it: at most 64 KiB at once. */
function* readHttp(text: string, pieceBytes: number): Generator {
  const parser = new ResponseParser({ method: 'GET', maxBodyBytes: mebibyte });
  const bytes = Buffer.from(text, 'latin1').subarray(0, mebibyte);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield parser.push(bytes.subarray(at, at + pieceBytes));
}

/** A DNS message of 64 KiB, the longest there is: a header that claims as many records as it can, and these bytes. */
function dnsMessage(counts: readonly number[], repeated: Buffer): Buffer {
  const message = Buffer.alloc(65_535);
  for (const [index, count] of counts.entries()) message.writeUInt16BE(count, 4 + 2 * index);
  message.fill(repeated, 12);
  return message;
}

const pointerToQuestion = Buffer.from('c00c00010001', 'hex');
const dnsMessages: Readonly<Record<string, Buffer>> = {
  'questions that are one pointer': dnsMessage([65_535, 0, 0, 0], pointerToQuestion),
  'questions of the root': dnsMessage([65_535, 0, 0, 0], Buffer.from('0000010001', 'hex')),
  'empty records': dnsMessage([0, 65_535, 65_535, 65_535], Buffer.from('0000010001000000000000', 'hex')),
  'empty EDNS options': dnsMessage([0, 0, 0, 1], Buffer.from('000029100000000000ffd0', 'hex')),
  'labels of one byte': dnsMessage([65_535, 0, 0, 0], Buffer.from('0161', 'hex')),
  'TXT records of empty strings': dnsMessage([0, 65_535, 0, 0], Buffer.from('000010000100000000000100', 'hex')),
};

/** No more of a dialogue is kept. */
const dialogueBytes = 65_536;

const dialogueTexts: readonly (readonly [string, () => unknown])[] = [
  ['empty lines', () => identificationReader()(bytesOf('\n', dialogueBytes))],
  ['SMTP lines that go on', () => smtpReply()(bytesOf('250-\n', dialogueBytes))],
  ['FTP lines that go on', () => ftpReply()(bytesOf('220-\n', dialogueBytes))],
  ['IMAP literals of no bytes', () => imapReply('a')()(bytesOf('{0}\n', dialogueBytes))],
  ['untagged IMAP lines', () => imapReply('a')()(bytesOf('* \n', dialogueBytes))],
  ['POP3 lines', () => pop3List()(Buffer.concat([Buffer.from('+OK\n'), bytesOf('\n', dialogueBytes)]))],
];

export const scans: readonly Scan[] = [
  ...[`${'a'.repeat(100)}b`, `b${'a'.repeat(100)}`, 'aaaa'].map((secret) => ({
    files: ['core/secrets.ts'],
    about: `a secret that begins or ends like the text, of ${secret.length} characters`,
    read: () => [new SecretMask([secret]).text(fill('a'))],
  })),
  ...jsonTexts.map((text) => ({
    files: ['checks/http/json-document.ts'],
    about: `JSON of ${text}`,
    read: () => [parseJson(fill(text))],
  })),
  ...httpTexts.flatMap((text, index) =>
    [65_536, 1460].map((pieceBytes) => ({
      files: ['net/packets/http1-response.ts', 'net/packets/http1-framing.ts'],
      about: `HTTP response ${index} in pieces of ${pieceBytes} bytes`,
      read: () => readHttp(text.length < 10 ? fill(text) : text, pieceBytes),
    })),
  ),
  ...Object.entries(dnsMessages).map(([about, message]) => ({
    files: [
      'net/packets/dns/decode.ts',
      'net/packets/dns/reader.ts',
      'net/packets/dns/record-data.ts',
      'sensors/traffic/dns-names.ts',
    ],
    about: `DNS message of ${about}`,
    read: () => [(attempt(() => decodeMessage(message)), readDnsNames(message))],
  })),
  ...dialogueTexts.map(([about, read]) => ({
    files: ['net/dialogue/replies.ts', 'checks/ssh/identification.ts'],
    about: `a dialogue of ${about}`,
    read: () => [read()],
  })),
  {
    files: ['core/printable.ts'],
    about: 'bytes that are no text',
    read: () => [(printableBytes(bytesOf('\xff')), printableBytes(bytesOf('\xf0\x80')))],
  },
  { files: ['core/printable.ts'], about: 'control characters', read: () => [quoted(fill('\x1b'))] },
  { files: ['core/nearest.ts'], about: 'a long typing error', read: () => [nearestWord(fill('a'), ['add', 'remove'])] },
  {
    files: ['net/packets/grpc.ts'],
    about: 'a health response of fields that are not known',
    read: () => [decodeHealthResponse(withGrpcPrefix(bytesOf('\x10\x01')))],
  },
  { files: ['net/packets/grpc.ts'], about: 'a status message', read: () => [decodeGrpcMessage(fill('%41', 65_536))] },
  {
    files: ['net/packets/http2-frames.ts'],
    about: 'empty frames',
    read: () => [new EndedStreams().push(bytesOf('\0\0\0\x04\0\0\0\0\0'))],
  },
  {
    files: ['net/packets/der.ts'],
    about: 'a sequence of nulls',
    read: () => [childrenOf({ tag: 0x30, contents: bytesOf('\x05\0'), bytes: Buffer.alloc(0) })],
  },
  { files: ['net/packets/client-hello.ts'], about: 'empty extensions', read: () => [serverNameOf(clientHello())] },
  {
    files: ['net/packets/ip.ts'],
    about: 'a packet of 64 KiB',
    read: () => [internetChecksum(Buffer.alloc(65_535, 0xff))],
  },
  {
    files: ['sensors/usb/descriptors.ts'],
    about: 'descriptors of two bytes',
    read: () => [readUsbInterfaces(bytesOf('\x02\x04'))],
  },
];

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // The message is as broken as it can be.
  }
}

function withGrpcPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** RFC 8446 section 4.1.2, with 64 KiB of extensions that are empty. */
function clientHello(): Buffer {
  const head = Buffer.alloc(5 + 4 + 34 + 1 + 2 + 2 + 2 + 2);
  head.set([0x16, 3, 1, 0xff, 0xff, 1, 0, 0xff, 0xff, 3, 3]);
  head.writeUInt16BE(2, 44);
  head.set([1, 0], 48);
  head.writeUInt16BE(65_535, 50);
  return Buffer.concat([head, bytesOf('\x12\x34\0\0', 65_535)]);
}

/** Loops that read no outside text, or text that something else bounds, by the reason. */
export const otherLoops: Readonly<Record<string, readonly string[]>> = {
  'turns of work: each waits for a timer, a socket, a disk or a person': [
    'agent/evidence/delivery.ts',
    'commands/hangup.ts',
    'commands/operate/drill.ts',
    'server/heartbeats/own-entries.ts',
    'agent/evidence/evidence-chain.ts',
    'agent/hosted-sensor.ts',
    'agent/sender.ts',
    'agent/spool/queue.ts',
    'checks/dns/ask.ts',
    'checks/domain/ask-registry.ts',
    'checks/http/http.ts',
    'checks/icmp/icmp.ts',
    'checks/ntp/ntp.ts',
    'checks/traceroute/trace.ts',
    'checks/traceroute/walk.ts',
    'checks/websocket/messages.ts',
    'checks/websocket/websocket.ts',
    'commands/check/check.ts',
    'commands/check/live-trace.ts',
    'commands/operate/console.ts',
    'commands/operate/event-follower.ts',
    'commands/operate/evidence.ts',
    'commands/operate/results.ts',
    'commands/shell/shell-questions.ts',
    'commands/shell/shell.ts',
    'net/dial/ask-udp.ts',
    'net/dialogue/incoming.ts',
    'net/dns/follow-aliases.ts',
    'net/http/http2.ts',
    'net/icmp/echo-channels.ts',
    'net/icmp/echo-socket.ts',
    'net/icmp/transmit.ts',
    'schedule/scheduler.ts',
    'server/evidence/chain-watch.ts',
    'server/evidence/client-logs.ts',
    'server/evidence/manifest.ts',
    'server/fleet/dispatcher.ts',
    'server/outbox/outbox-worker.ts',
    'server/fleet/task-table.ts',
    'server/live/event-feed.ts',
    'server/routes/event-stream.ts',
    'server/routes/events.ts',
    'server/store/sqlite/write-service.ts',
  ],
  'the causes of one error, at most five': ['core/system-error.ts'],
  'the extension headers of one packet, at most four': ['net/packets/ipv6.ts'],
  'the certificates above one, at most ten': ['commands/operate/timestamp.ts'],
  'the last hops of one header, at most ten': ['adapters/client-address.ts'],
  'the labels of one name': ['checks/domain/servers.ts'],
  'secrets in what is shown of a dialogue, at most 64 KiB': ['net/dialogue/conversation.ts'],
  'numbers and rows of our own': [
    'core/calendar/window-schedule.ts',
    'core/state/incident-id.ts',
    'core/state/record-draft.ts',
    'core/state/rehearsal.ts',
    'server/rehearsals/rehearse.ts',
    'server/rooms/watched-seat.ts',
    'server/routes/availability.ts',
    'server/state/second-opinion.ts',
    'server/store/sqlite/state-writer.ts',
    'core/ranges.ts',
    'core/search.ts',
    'records/chain.ts',
    'records/traffic-text.ts',
    'schedule/due-heap.ts',
    'sensors/traffic/contact-budget.ts',
    'sensors/traffic/contacts.ts',
    'sensors/traffic/rates.ts',
    'sensors/traffic/traffic-record.ts',
    'core/names.ts',
    'server/store/sqlite/bytes.ts',
    'server/store/sqlite/chunk.ts',
    'server/routes/results.ts',
    'server/store/sqlite/history.ts',
    'server/store/sqlite/rows.ts',
    'server/store/sqlite/summary-bytes.ts',
    'sys/bpf.ts',
    'terminal/table.ts',
  ],
  'files of our own, read and written in pieces': [
    'agent/evidence/evidence-disk.ts',
    'agent/evidence/evidence-files.ts',
    'agent/spool/disk.ts',
    'agent/spool/reader.ts',
    'agent/spool/reserve.ts',
    'agent/spool/segment.ts',
    'commands/data-folders.ts',
    'server/backup/archive.ts',
    'server/backup/byte-source.ts',
    'server/backup/make-backup.ts',
    'records/verify/evidence-lines.ts',
    'sys/atomic-file.ts',
    'sys/small-file.ts',
  ],
  'a configuration that a person wrote, at most 1 MiB': [
    'core/state/parents.ts',
    'config/composer.ts',
    'config/lines.ts',
    'core/scalars.ts',
    'core/schedule.ts',
  ],
  'what the kernel of this machine says, one step for each thing it says': [
    'sensors/mounts/mount-kind.ts',
    'sensors/traffic/ebpf-counter.ts',
    'sensors/usb/devices.ts',
    'sys/netlink.ts',
    'sys/network-changes.ts',
    'sys/network-tables.ts',
    'sys/packet-ring.ts',
    'sys/receive.ts',
    'sys/uevents.ts',
  ],
  'messages of at most 64 KiB, cut out of a stream': ['net/dns/stream.ts'],
  'a chain of certificates, at most as many as we accept': ['net/tls/server-chain.ts'],
  'the data of one DNS record, which the messages above are made of': [
    'net/packets/dns/fields-of-addresses.ts',
    'net/packets/dns/fields-of-bytes.ts',
    'net/packets/dns/service-parameters.ts',
  ],
};
