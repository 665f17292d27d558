/** People who may use the dashboard and the HTTP interface, and where they are signed in. */
export interface Accounts {
  /** Adds the account, or replaces it. */
  saveAccount(account: Account): Promise<void>;
  accounts(): Promise<readonly Account[]>;
  /** Adds the signIn, or replaces it. */
  saveSignIn(signIn: SignIn): Promise<void>;
  endSignIn(key: string): Promise<void>;
  /** Those that have not expired by then. */
  signIns(now: number): Promise<readonly SignIn[]>;
}

/** From the least to the most. */
export const roles = ['viewer', 'operator', 'admin'] as const;
/** `viewer` looks; `operator` also acknowledges, runs and pauses; `admin` does all. */
export type Role = (typeof roles)[number];

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** A PHC string. */
  readonly passwordHash: string;
  readonly createdAt: number;
}

export interface SignIn {
  /** SHA-256 of the token, which only the browser has; hexadecimal. */
  readonly key: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}
