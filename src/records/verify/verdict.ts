import type { AlarmCause } from '../../core/event.ts';
import type { AskedEvidence } from '../manifest.ts';
import type { BlindTime, Period } from './watched-time.ts';

/**
 * What is to be said of a folder of evidence.
 * `complete`: as the server signed it, with the key that was expected, without a gap or an alarm.
 * `genuine`: as that server signed it, with gaps or alarms that are told.
 * `altered`: not as it was signed or sealed.
 * `signer-unknown`: as it was signed, but nobody has said whose key it is, or it is another.
 * `unsigned`: an agent's own folder, whose links hold; nobody signed it.
 */
export type Judgement = 'complete' | 'genuine' | 'altered' | 'signer-unknown' | 'unsigned';

/** A difference from what was signed or sealed: where, what was expected and what was found. */
export interface Finding {
  readonly file: string;
  /** Line number from 1; absent if the finding is about the whole file. */
  readonly line?: number;
  readonly message: string;
  /** A text for people is incomplete but right as far as it goes. */
  readonly isShort?: true;
}

/** Consecutive records of a chain; `first` is 0 where there are none. */
export interface NumberedRun {
  readonly first: number;
  readonly last: number;
}

export interface ChainFacts {
  /** Its id; unknown of a chain that an agent's folder does not go on with. */
  readonly chain: string | undefined;
  readonly runs: readonly NumberedRun[];
  /** What there is of it on the server; unknown in a folder of an older version or of an agent. */
  readonly kept?: NumberedRun | undefined;
  /** The seals were verified by the server up to this record. */
  readonly verifiedTo?: number;
}

export interface SensorFacts {
  readonly sensor: string;
  readonly chains: readonly ChainFacts[];
  /** Of the first and last record. */
  readonly records?: Period | undefined;
  /** When it did not watch. */
  readonly blind: readonly BlindTime[];
  /** By whose order it watched, and with which options, in the words of its records. */
  readonly orders: readonly string[];
  /** What the sensor said it could not observe or keep. */
  readonly lost: readonly string[];
}

export interface AlarmFact {
  readonly sensor: string;
  readonly n: number;
  /** ISO 8601, by the server's clock. */
  readonly at: string;
  readonly cause: AlarmCause;
  readonly message: string;
}

export interface Signature {
  readonly serverId: string;
  /** Of the key that signed. */
  readonly pin: string;
  /** The pin that was expected, by whoever asks; undefined if nobody said. */
  readonly expectedPin: string | undefined;
  readonly madeAt: string;
  readonly version: string;
}

/** A time-stamping authority has seen the hash of the list: the folder is at least so old. */
export interface TimestampFact {
  /** ISO 8601, by the authority's clock. */
  readonly at: string;
  /** The name in its certificate. */
  readonly authority: string;
  /** Whether that certificate leads to one that was given as trusted; undefined if none was. */
  readonly isTrusted: boolean | undefined;
}

export interface Verdict {
  readonly judgement: Judgement;
  readonly findings: readonly Finding[];
  /** Absent if the folder does not say it readably, or nobody signed it. */
  readonly agent?: { readonly id: string; readonly name: string };
  readonly signature?: Signature;
  readonly timestamp?: TimestampFact;
  /** What of the evidence was asked for; undefined if the folder does not say. */
  readonly asked?: AskedEvidence | undefined;
  readonly sensors: readonly SensorFacts[];
  readonly alarms: readonly AlarmFact[];
}

/** Gaps that nobody ordered; where a period was asked for, those that were ordered too, for they are in it. */
export function gapsIn({ sensors, asked }: Pick<Verdict, 'sensors' | 'asked'>): readonly BlindTime[] {
  const isPeriod = asked?.from !== undefined || asked?.to !== undefined;
  return sensors.flatMap(({ blind }) => blind.filter(({ isOrdered }) => isPeriod || !isOrdered));
}

/** Records that are in the folder and whose seals the server had not verified when it signed. */
export function unverifiedIn({ sensors }: Pick<Verdict, 'sensors'>): number {
  const chains = sensors.flatMap((facts) => facts.chains);
  return chains.reduce(
    (sum, { runs, verifiedTo = 0 }) => sum + runs.reduce((all, run) => all + after(verifiedTo, run), 0),
    0,
  );
}

function after(n: number, { first, last }: NumberedRun): number {
  return Math.max(0, last - Math.max(n, first - 1));
}

export function judgementOf(facts: Omit<Verdict, 'judgement'>): Judgement {
  const { findings, signature, alarms, sensors } = facts;
  if (findings.length > 0) return 'altered';
  if (!signature) return 'unsigned';
  if (signature.pin !== signature.expectedPin) return 'signer-unknown';
  const lost = sensors.some((sensor) => sensor.lost.length > 0);
  const isWhole =
    sensors.length > 0 && alarms.length === 0 && !lost && gapsIn(facts).length === 0 && unverifiedIn(facts) === 0;
  return isWhole ? 'complete' : 'genuine';
}
