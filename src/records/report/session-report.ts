import { z } from 'zod';
import { isoTimeSchema } from '../../core/iso-time.ts';
import { noticeSeverities } from '../../core/notice.ts';
import { strictnesses } from '../../core/room.ts';
import { sensorNames } from '../../core/sensor.ts';

const text = z.string().max(10_000);

const notice = z.strictObject({
  id: z.int(),
  /** Undefined where it is about the seat itself. */
  sensor: z.enum(sensorNames).optional(),
  kind: text,
  severity: z.enum(noticeSeverities),
  text,
  /** First and last time that it came, by the server's clock. */
  at: isoTimeSchema,
  lastAt: isoTimeSchema,
  count: z.int(),
  acknowledged: z.strictObject({ by: text, at: isoTimeSchema, note: text }).optional(),
});
export type ReportedNotice = z.output<typeof notice>;

/** When a sensor that was ordered did not watch, by the seat's clock. */
const blindTime = z.strictObject({ from: isoTimeSchema, to: isoTimeSchema, why: text });

const sensor = z.strictObject({
  sensor: z.enum(sensorNames),
  records: z.int(),
  blind: z.array(blindTime),
  /** What the sensor says that it could not observe or keep. */
  lost: z.array(text),
});

const seat = z.strictObject({
  /** Absent of a seat whose agent never joined. */
  agentId: z.uuid().optional(),
  name: text,
  place: text.optional(),
  isExpected: z.boolean(),
  /** Where its evidence is in the folder of the report. */
  folder: text.optional(),
  sensors: z.array(sensor),
  notices: z.array(notice),
});
export type ReportedSeat = z.output<typeof seat>;

/** What a session was, and what came of it: `report.json`. */
export const sessionReportSchema = z.strictObject({
  report: z.literal('watchkeeper session 1'),
  serverId: z.uuid(),
  /** Pin of the key that signs. */
  pin: text,
  version: text,
  madeAt: isoTimeSchema,
  /** IANA name of the zone in which the page for people tells times. */
  zone: text,
  session: z.strictObject({
    id: z.uuid(),
    room: text,
    roomId: text,
    startedAt: isoTimeSchema,
    startedBy: text,
    until: isoTimeSchema,
    /** Absent if it lasted still when the report was made. */
    endedAt: isoTimeSchema.optional(),
    /** Absent if the agreed end came, or it lasted. */
    endedBy: text.optional(),
    policy: z.strictObject({
      name: text,
      by: text,
      purpose: text.optional(),
      otherDevices: z.enum(strictnesses),
      otherPeers: z.enum(strictnesses),
      sensors: z.array(z.strictObject({ sensor: z.enum(sensorNames), options: z.record(z.string(), z.unknown()) })),
    }),
  }),
  seats: z.array(seat),
  /** About the room, and no seat of it. */
  notices: z.array(notice),
});
export type SessionReport = z.output<typeof sessionReportSchema>;

/** The page, its data, or the list of a seat's evidence: nothing that leads out of the folder. */
const fileName = z.string().regex(/^(?:report\.(?:json|html)|seats\/[^/.\0][^/\0]{0,100}\/manifest\.json)$/);

/** The list that the server signs: every file of the folder but its own and the lines of evidence, which the lists of the seats name. */
export const sessionManifestSchema = z.strictObject({
  session: z.literal('watchkeeper session 1'),
  serverId: z.uuid(),
  /** Ed25519, raw, base64url. */
  serverKey: z.string().length(43),
  id: z.uuid(),
  madeAt: isoTimeSchema,
  version: text,
  files: z.array(z.strictObject({ name: fileName, sha256: z.string().length(43) })).max(10_000),
});
export type SessionManifest = z.output<typeof sessionManifestSchema>;

/** How the session went for a seat. */
export type SeatVerdict = 'alarm' | 'absent' | 'gap' | 'notice' | 'clear';

/** By its gravest: an alarm, no record at all, time in which nobody watched, a notice that nobody has looked at. */
export function seatVerdict({ notices, sensors }: Pick<ReportedSeat, 'notices' | 'sensors'>): SeatVerdict {
  if (notices.some(({ severity }) => severity === 'alarm')) return 'alarm';
  if (sensors.every(({ records }) => records === 0)) return 'absent';
  if (sensors.some(({ blind, lost }) => blind.length > 0 || lost.length > 0)) return 'gap';
  return notices.length > 0 ? 'notice' : 'clear';
}
