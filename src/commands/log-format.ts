import { Option } from 'commander';
import { logFormats } from '../terminal/operator-log.ts';

/** Of every command that runs until it is stopped. */
export function logFormatOption(): Option {
  return new Option('--log-format <format>', 'text or json: how lines for the operator are written')
    .choices(logFormats)
    .default('text');
}
