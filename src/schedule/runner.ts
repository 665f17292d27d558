import { findCheckType } from '../checks/registry.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { runCheck, type Runnable, type RunParts } from './run-check.ts';

/** One run of a monitor of any type. Never rejects. */
export async function runMonitor(monitor: Monitor, parts: RunParts): Promise<Result> {
  return await runCheck(findCheckType(monitor.type) ?? missing(monitor), monitor, parts);
}

function missing({ type }: Monitor): Runnable {
  return { run: () => Promise.reject(new Error(`no check type is called ${type}`)) };
}
