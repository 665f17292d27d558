import { AgentBook, type AgentHealth } from './agent-book.ts';
import { ChangeLog, type StateChanges } from './change-log.ts';
import { afterChange, calmAt, steady } from './flapping.ts';
import { IncidentBook } from './incident-book.ts';
import { childrenByParent } from './parents.ts';
import type { Subject } from './incident.ts';
import type { IncidentAck, IncidentEvent, IncidentRecord, SubjectView } from './incident-record.ts';
import {
  judgeVoices,
  newMonitor,
  type JudgedState,
  type MonitorRecord,
  type MonitorRun,
  type StateRow,
  type VoiceEntry,
  type VoiceRow,
} from './monitor-record.ts';
import { monitorView } from './monitor-view.ts';
import { MonitorVoices } from './monitor-voices.ts';
import { noPolicies, type MonitorPolicy, type Policies } from './policies.ts';

const hourMs = 3_600_000;
/** Freshness and what is held are looked at this often. */
const lookMs = 1000;

/** What a book of states was when it was last kept. */
export interface StateRows {
  readonly voices: readonly VoiceRow[];
  readonly states: readonly StateRow[];
  readonly incidents: readonly IncidentRecord[];
  readonly agents: readonly AgentHealth[];
}

/**
 * What is believed of every monitor: a function of runs, of the health of agents, of policies and of time. It keeps nothing by
 * itself; `drain` gives what changed.
 */
export class StateBook {
  readonly #monitors = new Map<string, MonitorRecord>();
  readonly #agents: AgentBook;
  readonly #incidents: IncidentBook;
  readonly #unstable = new Set<string>();
  #policies: Policies = noPolicies;
  #children = childrenByParent([]);
  #lookedAt = -Infinity;
  readonly #log = new ChangeLog();
  readonly #voices = new MonitorVoices(this.#log);

  constructor() {
    this.#incidents = new IncidentBook({
      view: (subject) => this.#viewOf(subject),
      sentAt: ({ id }, recipient) => this.#monitors.get(id)?.row.sent[recipient] ?? [],
      noteSent: (subject, recipient, at) => this.#noteSent(subject, recipient, at),
    });
    this.#agents = new AgentBook();
  }

  /** What was kept; voices are fresh for a while, so that agents may come back. */
  load({ voices, states, incidents, agents }: StateRows, policies: Policies, freshUntil: number): void {
    this.#use(policies);
    for (const agent of agents) this.#agents.set(agent);
    for (const policy of policies.monitors) this.#monitors.set(policy.id, newMonitor(policy));
    for (const row of states) {
      const monitor = this.#monitors.get(row.monitorId);
      if (!monitor) continue;
      monitor.row = row;
      if (row.flapping.unstableSince !== undefined) this.#unstable.add(row.monitorId);
    }
    for (const row of voices) {
      const monitor = this.#monitors.get(row.monitorId);
      if (monitor) this.#voices.load(monitor, row, freshUntil);
    }
    this.#incidents.load(incidents);
  }

  get policies(): Policies {
    return this.#policies;
  }

  voice(monitorId: string, agentId: string): VoiceEntry | undefined {
    return this.#monitors.get(monitorId)?.voices.get(agentId);
  }

  incident(id: string): IncidentRecord | undefined {
    return this.#incidents.get(id);
  }

  /** Whether this run changes nothing but how fresh its voice is, which is noted at once. */
  isQuiet(run: Omit<MonitorRun, 'message'>): boolean {
    const monitor = this.#monitors.get(run.monitorId);
    if (!monitor || !this.#agents.isWell(run.agentId)) return true;
    return this.#voices.isQuiet(monitor, run);
  }

  /** The newest run of a monitor on an agent. */
  takeRun(run: MonitorRun): void {
    const monitor = this.#monitors.get(run.monitorId);
    if (!monitor || monitor.policy.isPaused || !monitor.policy.agents.includes(run.agentId)) return;
    // An agent that is unwell has no vote.
    if (!this.#agents.isWell(run.agentId)) return;
    const change = this.#voices.take(monitor, run);
    if (!change) return;
    if (change.isFirstFailure) this.#wantRuns(monitor, run.agentId);
    this.#evaluate(monitor, run.receivedAt);
  }

  /** The health of an agent has changed: while it is unwell its voices are unknown, and it has an incident of its own. */
  noteAgent(health: AgentHealth): void {
    const { at, id } = health;
    const change = this.#agents.set(health);
    if (!change) return;
    if (health.status !== 'well') {
      for (const monitor of this.#monitors.values()) {
        const entry = monitor.voices.get(id);
        if (entry && this.#voices.silence(entry, at)) this.#evaluate(monitor, at);
      }
    }
    const view = this.#viewOf({ kind: 'agent', id });
    if (!view) return;
    if (health.status === 'gone') this.#incidents.close(view, 'revoked', at);
    else this.#incidents.follow({ ...change, view, at });
  }

  setPolicies(policies: Policies, at: number): void {
    this.#use(policies);
    const wanted = new Map(policies.monitors.map((policy) => [policy.id, policy]));
    for (const [id, monitor] of this.#monitors) if (!wanted.has(id)) this.#remove(monitor, at);
    for (const policy of policies.monitors) this.#apply(policy, at);
  }

  /** What time alone changes. */
  advance(now: number): void {
    if (now - this.#lookedAt < lookMs && now >= this.#lookedAt) return;
    this.#lookedAt = now;
    for (const monitor of this.#monitors.values())
      if (this.#voices.silenceStale(monitor, now)) this.#evaluate(monitor, now);
    for (const id of this.#unstable) this.#calm(id, now);
    this.#incidents.settle(now);
    this.#incidents.forget(now - hourMs);
  }

  /** The wall clock was set: what is fresh stays so for as long as before. */
  moveClock(byMs: number): void {
    if (byMs === 0) return;
    this.#lookedAt += byMs;
    for (const monitor of this.#monitors.values()) this.#voices.moveClock(monitor, byMs);
  }

  noteIncident(id: string, line: Pick<IncidentEvent, 'kind' | 'at' | 'detail'>): void {
    this.#incidents.note(id, line);
  }

  acknowledge(id: string, ack: IncidentAck): boolean {
    return this.#incidents.acknowledge(id, ack);
  }

  drain(): StateChanges {
    const { records: incidents, events, planned } = this.#incidents.drain();
    return { ...this.#log.drain(), incidents, events, planned };
  }

  #evaluate(monitor: MonitorRecord, now: number): void {
    const judged = judgeVoices(monitor, now);
    const { state, verdict } = monitor.row;
    const isOtherVerdict = judged.verdict !== verdict && (judged.state === 'down' || judged.state === 'degraded');
    if (judged.state === state && !isOtherVerdict) return;
    this.#change(monitor, judged, now);
  }

  #change(monitor: MonitorRecord, judged: JudgedState, now: number): void {
    const { policy, row } = monitor;
    const { id, name } = policy;
    const { state, verdict, since } = judged;
    const isBetween = state !== row.state && state !== 'unknown' && row.state !== 'unknown';
    const flapping = isBetween ? afterChange(row.flapping, now, policy) : row.flapping;
    const becameUnstable = flapping.unstableSince !== undefined && row.flapping.unstableSince === undefined;
    monitor.row = { ...row, state, verdict, since: state === row.state ? row.since : since, flapping };
    this.#log.state(monitor);
    if (becameUnstable) this.#unstable.add(id);
    const view = this.#monitorView(monitor);
    this.#incidents.follow({ state, verdict, since, at: now, view });
    if (becameUnstable) this.#incidents.mark(view, 'unstable', now);
    const incident = this.#incidents.of(view.subject)?.incident.id;
    const { summary } = view.account;
    this.#log.transition({
      monitorId: id,
      name,
      before: row.state,
      state,
      verdict,
      since,
      at: now,
      incident,
      summary,
    });
    if (state === 'up' && row.state !== 'up') this.#wantChildren(id);
  }

  #calm(id: string, now: number): void {
    const monitor = this.#monitors.get(id);
    const until = monitor && calmAt(monitor.row.flapping, monitor.policy);
    if (until !== undefined && until > now) return;
    this.#unstable.delete(id);
    if (!monitor || until === undefined) return;
    monitor.row = { ...monitor.row, flapping: steady };
    this.#log.state(monitor);
    this.#incidents.mark(this.#monitorView(monitor), 'stable', now);
  }

  #apply(policy: MonitorPolicy, at: number): void {
    const monitor = this.#monitors.get(policy.id);
    if (!monitor) {
      const added = newMonitor(policy);
      this.#monitors.set(policy.id, added);
      return this.#log.state(added);
    }
    const { row } = monitor;
    monitor.policy = policy;
    this.#voices.keepOnly(monitor, policy.agents);
    const isAnother = row.identity !== policy.identity;
    const isPausing = policy.isPaused && !row.isPaused;
    if (isAnother || policy.isPaused !== row.isPaused) {
      monitor.row = { ...row, identity: policy.identity, isPaused: policy.isPaused };
      this.#log.state(monitor);
    }
    if (isAnother || isPausing) this.#voices.forget(monitor);
    if (isPausing) this.#pause(monitor, at);
    this.#evaluate(monitor, at);
  }

  /** It ends whatever goes on: also that it changes often. */
  #pause(monitor: MonitorRecord, at: number): void {
    if (this.#unstable.delete(monitor.policy.id)) monitor.row = { ...monitor.row, flapping: steady };
    this.#incidents.close(this.#monitorView(monitor), 'paused', at);
  }

  #remove(monitor: MonitorRecord, at: number): void {
    const { id } = monitor.policy;
    this.#incidents.close(this.#monitorView(monitor), 'deleted', at);
    this.#monitors.delete(id);
    this.#unstable.delete(id);
    this.#log.goneMonitor(monitor);
  }

  #wantRuns({ policy }: MonitorRecord, agentId: string): void {
    this.#log.want({ monitorId: policy.id, agentId, why: 'first-failure' });
    for (const parent of policy.dependsOn) this.#log.want({ monitorId: parent, why: 'parent' });
  }

  #use(policies: Policies): void {
    this.#policies = policies;
    this.#children = childrenByParent(policies.monitors);
  }

  #wantChildren(parentId: string): void {
    for (const monitorId of this.#children.get(parentId) ?? [])
      if (this.#monitors.get(monitorId)?.row.state !== 'up') this.#log.want({ monitorId, why: 'child' });
  }

  #noteSent({ id }: Subject, recipient: string, at: number): void {
    const monitor = this.#monitors.get(id);
    if (!monitor) return;
    const recent = (monitor.row.sent[recipient] ?? []).filter((time) => time > at - hourMs);
    monitor.row = { ...monitor.row, sent: { ...monitor.row.sent, [recipient]: [...recent, at] } };
    this.#log.state(monitor);
  }

  #viewOf({ kind, id }: Subject): SubjectView | undefined {
    if (kind === 'agent') return this.#agents.view(id, this.#policies.notify);
    const monitor = this.#monitors.get(id);
    return monitor && this.#monitorView(monitor);
  }

  #monitorView(monitor: MonitorRecord): SubjectView {
    return monitorView(monitor, {
      monitors: this.#monitors,
      policies: this.#policies,
      agentName: (agentId) => this.#agents.nameOf(agentId),
    });
  }
}
