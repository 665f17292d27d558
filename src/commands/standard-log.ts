import { systemClock as clock } from '../core/clock.ts';
import { OperatorLog, type LogFormat } from '../terminal/operator-log.ts';

/** Lines for the operator, on standard error. */
export function standardLog(format: LogFormat): OperatorLog {
  return new OperatorLog({ clock, format, open: () => process.stderr });
}
