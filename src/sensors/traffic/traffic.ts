import type { Cancel, Clock } from '../../core/clock.ts';
import type { RunningSensor, SensorContext, SensorType } from '../../core/sensor.ts';
import { SystemError } from '../../sys/libc.ts';
import { TrafficObserver } from './observer.ts';
import { openPeerCounter } from './open-counter.ts';
import { trafficOptions, type TrafficOptions } from './options.ts';
import { stepMs } from './rates.ts';
import { surroundings } from './surroundings.ts';

export const traffic: SensorType<typeof trafficOptions> = {
  type: 'traffic',
  title: 'Network traffic',
  summary:
    'With which hosts this machine exchanges how many bytes, their names, and when it first meets one; no contents of any packet.',
  classOfData: 'traffic',
  options: trafficOptions,
  // Nothing here waits: a promise is what the contract asks for.
  start: (options, context) => Promise.resolve(new TrafficSensor(options, context)),
};

class TrafficSensor implements RunningSensor {
  readonly #context: SensorContext;
  readonly #observer: TrafficObserver;
  #cancel: Cancel = () => {};
  #isCounting: boolean;

  constructor(options: TrafficOptions, context: SensorContext) {
    const { clock, onState } = context;
    this.#context = context;
    this.#observer = new TrafficObserver({ ...context, options, surroundings, openCounter: openPeerCounter });
    onState(this.#observer.state);
    this.#isCounting = this.#observer.state.state !== 'unavailable';
    if (this.#isCounting) this.#cancel = everyStep(clock, () => this.#step());
  }

  stop(): Promise<void> {
    if (this.#isCounting) this.#read();
    if (this.#isCounting) this.#recordTraffic();
    this.#end();
    return Promise.resolve();
  }

  #step(): void {
    this.#read();
    if (this.#isCounting && this.#observer.isRecordDue) this.#recordTraffic();
  }

  #recordTraffic(): void {
    for (const record of this.#observer.takeRecords()) this.#context.record(record);
  }

  #read(): void {
    try {
      this.#observer.step();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#end();
      const message = `The kernel no longer counts (${error.message}): restart the agent.`;
      this.#context.onState({ state: 'unavailable', message });
    }
  }

  #end(): void {
    this.#isCounting = false;
    this.#cancel();
    this.#observer[Symbol.dispose]();
  }
}

/** Calls at the multiples of a step from now; a call that comes late does not move the next. */
export function everyStep(clock: Clock, call: () => void): Cancel {
  const startMs = clock.monotonic();
  let cancel: Cancel;
  const wait = (): void => {
    const passedMs = clock.monotonic() - startMs;
    cancel = clock.after(stepMs - (passedMs % stepMs), () => {
      wait();
      call();
    });
  };
  wait();
  return () => cancel();
}
