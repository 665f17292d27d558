import type { NoticeSeverity } from '../../core/notice.ts';
import type { Mount, SensorRecord, UsbRisk } from '../../core/record.ts';
import type { RoomPolicy } from '../../core/room.ts';
import type { Session } from '../../core/session.ts';
import { severityOf } from '../../records/record-text.ts';

export interface JudgedRecord {
  readonly agentId: string;
  readonly record: SensorRecord;
  /** By the server's clock, epoch milliseconds. */
  readonly at: number;
}

export interface PolicyJudgement {
  /** Undefined if nobody need be told: the policy of the session allows it. */
  readonly severity: NoticeSeverity | undefined;
  readonly sessionId?: string;
}

const dataRisks: readonly UsbRisk[] = ['storage', 'network', 'imaging', 'wireless'];
const dataMounts: readonly Mount['kind'][] = ['usb', 'card', 'optical', 'thunderbolt'];

/** Says how grave a record is under the policy of the session in which it was made. */
export class SessionJudge {
  readonly #sessionOf: (agentId: string, at: number) => Session | undefined;
  /** Ports of each agent in which there is a device that is allowed. */
  readonly #allowedPorts = new Map<string, Set<string>>();

  constructor(sessionOf: (agentId: string, at: number) => Session | undefined) {
    this.#sessionOf = sessionOf;
  }

  judge({ agentId, record, at }: JudgedRecord): PolicyJudgement {
    this.#notePort(agentId, record);
    const session = this.#sessionOf(agentId, at);
    const usual = severityOf(record);
    if (!session) return { severity: usual };
    const sessionId = session.id;
    if (this.#isAllowedMount(agentId, record)) return { severity: undefined, sessionId };
    return { severity: isForbidden(session.policy, record) ? 'alarm' : usual, sessionId };
  }

  #notePort(agentId: string, record: SensorRecord): void {
    if (record.event !== 'usb-present' && record.event !== 'usb-connected' && record.event !== 'usb-removed') return;
    const { port } = record.device;
    if (record.event !== 'usb-removed' && record.isKnown)
      this.#allowedPorts.getOrInsertComputed(agentId, newPorts).add(port);
    else this.#allowedPorts.get(agentId)?.delete(port);
  }

  #isAllowedMount(agentId: string, record: SensorRecord): boolean {
    if (!('mount' in record) || record.mount.usbPort === undefined) return false;
    return this.#allowedPorts.get(agentId)?.has(record.mount.usbPort) ?? false;
  }
}

function newPorts(): Set<string> {
  return new Set();
}

/** What was there at the start is no deed of whoever sits there now. */
function isForbidden({ otherDevices, otherPeers }: RoomPolicy, record: SensorRecord): boolean {
  if (record.event === 'usb-connected')
    return otherDevices === 'alarm' && record.device.risks.some((risk) => dataRisks.includes(risk));
  if (record.event === 'mounted') return otherDevices === 'alarm' && dataMounts.includes(record.mount.kind);
  if (record.event !== 'surroundings' || record.kind !== 'default-route') return false;
  return otherPeers === 'alarm' && (record.change === 'appeared' || record.change === 'changed');
}
