import { formatDuration, type Milliseconds } from '../core/duration.ts';
import type { Task } from '../core/task.ts';

/** What the administrator of this machine lets a server make of its agent, whatever the server or its operators say. */
export interface LocalRules {
  /** Check types; every one if undefined. */
  readonly checks?: readonly string[] | undefined;
  /** Every one if undefined. */
  readonly sensors?: readonly string[] | undefined;
  readonly maxTasks: number;
  readonly minIntervalMs: Milliseconds;
}

export const usualRules: LocalRules = { maxTasks: 100_000, minIntervalMs: 1000 };

/** Why a task is not run here; undefined if it is. `index` is its place among the tasks of this agent. */
export function refusalOfTask({ type, intervalMs }: Task, index: number, rules: LocalRules): string | undefined {
  const { checks, minIntervalMs, maxTasks } = rules;
  if (checks && !checks.includes(type))
    return `the administrator of this machine allows the checks ${listOf(checks)} (--allow-checks), not ${type}`;
  if (intervalMs < minIntervalMs) {
    const [least, asked] = [formatDuration(minIntervalMs), formatDuration(intervalMs)];
    return `the administrator of this machine allows an interval of at least ${least} (--min-interval), not ${asked}`;
  }
  if (index >= maxTasks)
    return `the administrator of this machine allows ${maxTasks} tasks (--max-tasks), and this is one more`;
  return undefined;
}

/** Why a sensor is not started here; undefined if it may be. */
export function refusalOfSensor(sensor: string, { sensors }: LocalRules): string | undefined {
  if (!sensors || sensors.includes(sensor)) return undefined;
  return `the administrator of this machine allows the sensors ${listOf(sensors)} (--allow-sensors)`;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
