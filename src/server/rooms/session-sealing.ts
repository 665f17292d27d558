import { createHash } from 'node:crypto';
import { isoTimeOf } from '../../core/iso-time.ts';
import type { Session } from '../../core/session.ts';
import { keyPin, signBytes } from '../../protocol/identity.ts';
import type { SignedManifest } from '../../records/manifest.ts';
import { reportPage } from '../../records/report/report-page.ts';
import type {
  ReportedNotice,
  ReportedSeat,
  SessionManifest,
  SessionReport,
} from '../../records/report/session-report.ts';
import { signedManifest, type ManifestParts } from '../evidence/manifest.ts';
import { safeName } from '../evidence/safe-name.ts';
import type { Evidence } from '../store/evidence.ts';
import type { KeptNotice, Notices } from '../store/notices.ts';
import type { Period } from '../../records/verify/watched-time.ts';
import { watchedBy } from './watched-seat.ts';

export interface SealingParts extends ManifestParts {
  readonly store: Pick<Evidence, 'chains' | 'lines' | 'alarms'> & Pick<Notices, 'notices'>;
  /** IANA name of the zone in which the page for people tells times. */
  readonly zone: string;
}

/** A session's report, its page for people, the list of the evidence of each seat, and the signature over them. */
export interface SealedSession extends SignedManifest {
  readonly report: string;
  readonly page: string;
  readonly seats: readonly (SignedManifest & { readonly folder: string })[];
}

const maxNotices = 10_000;

/** Gathers what came of a session until now and signs it. */
export async function sealedSession(session: Session, parts: SealingParts): Promise<SealedSession> {
  const { store, identity, version, now, zone } = parts;
  const period = { from: session.startedAt, to: Math.min(session.endedAt ?? now, now) };
  const notices = await noticesIn(session, { period, store });
  const seats: ReportedSeat[] = [];
  const signed: SealedSession['seats'][number][] = [];
  for (const [index, { agentId, name, place, isExpected }] of session.seats.entries()) {
    const folder = `seats/${String(index + 1).padStart(2, '0')}-${safeName(name)}`;
    const sensors = await watchedBy({ agentId, sensors: session.policy.sensors, period }, store);
    const about = agentId === undefined ? [] : notices.filter((notice) => notice.agentId === agentId);
    const known = { ...(agentId !== undefined && { agentId, folder }), ...(place !== undefined && { place }) };
    seats.push({ ...known, name, isExpected, sensors, notices: about.map(reported) });
    if (agentId !== undefined)
      signed.push({ folder, ...(await signedManifest({ agentId, agent: name, ...period }, parts)) });
  }
  const report: SessionReport = {
    report: 'watchkeeper session 1',
    serverId: identity.serverId,
    pin: keyPin(identity.publicKey),
    version,
    madeAt: isoTimeOf(now),
    zone,
    session: sessionFacts(session),
    seats,
    notices: notices.filter(({ agentId }) => !session.seats.some((seat) => seat.agentId === agentId)).map(reported),
  };
  const [text, page] = [`${JSON.stringify(report, undefined, 2)}\n`, reportPage(report)];
  return { report: text, page, seats: signed, ...sealed({ session, text, page, seats: signed }, parts) };
}

/** Those that were told in it, and those of its time that no session was known for, such as alarms over chains. */
async function noticesIn(
  { id, seats }: Session,
  { period, store }: { readonly period: Period; readonly store: SealingParts['store'] },
): Promise<readonly KeptNotice[]> {
  const agentIds = seats.flatMap(({ agentId }) => agentId ?? []);
  const told = await store.notices({ sessionIds: [id], limit: maxNotices });
  const others = await store.notices({ agentIds, ...period, limit: maxNotices });
  return [...told, ...others.filter(({ sessionId }) => sessionId === undefined)];
}

interface Contents {
  readonly session: Session;
  readonly text: string;
  readonly page: string;
  readonly seats: SealedSession['seats'];
}

function sealed({ session, text, page, seats }: Contents, { identity, version, now }: SealingParts): SignedManifest {
  const files = [
    { name: 'report.json', sha256: sha256(text) },
    { name: 'report.html', sha256: sha256(page) },
    ...seats.map(({ folder, manifest }) => ({ name: `${folder}/manifest.json`, sha256: sha256(manifest) })),
  ];
  const { serverId, publicKey: serverKey } = identity;
  const content: SessionManifest = {
    session: 'watchkeeper session 1',
    serverId,
    serverKey,
    id: session.id,
    madeAt: isoTimeOf(now),
    version,
    files,
  };
  const manifest = `${JSON.stringify(content, undefined, 2)}\n`;
  return { manifest, signature: signBytes(identity, Buffer.from(manifest)) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sessionFacts(session: Session): SessionReport['session'] {
  const { id, room, roomId, startedAt, startedBy, until, endedAt, endedBy, policy } = session;
  return {
    id,
    room,
    roomId,
    startedAt: isoTimeOf(startedAt),
    startedBy,
    until: isoTimeOf(until),
    ...(endedAt !== undefined && { endedAt: isoTimeOf(endedAt) }),
    ...(endedBy !== undefined && { endedBy }),
    policy: { ...policy, sensors: policy.sensors.map(({ sensor, options }) => ({ sensor, options })) },
  };
}

function reported({ id, sensor, kind, severity, text, at, lastAt, count, acknowledged }: KeptNotice): ReportedNotice {
  return {
    id,
    ...(sensor && { sensor }),
    kind,
    severity,
    text,
    at: isoTimeOf(at),
    lastAt: isoTimeOf(lastAt),
    count,
    ...(acknowledged && { acknowledged: { ...acknowledged, at: isoTimeOf(acknowledged.at) } }),
  };
}
