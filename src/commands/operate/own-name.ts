import { userInfo } from 'node:os';
import { AppError } from '../../core/errors.ts';

/** Who is at the keyboard, where --by does not say so. A container may run as a user without a name. @throws {AppError} usage */
export function ownName(): string {
  try {
    return process.env['SUDO_USER'] ?? userInfo().username;
  } catch {
    throw new AppError('usage', 'this user has no name: say who with --by NAME');
  }
}
