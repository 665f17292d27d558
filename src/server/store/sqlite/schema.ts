/**
 * Each entry brings the schema from its index to the next version; `PRAGMA user_version` counts them. What is released is never
 * changed: a new version is a new entry.
 *
 * Everything measured has time first in its key, and the tasks of one slot or hour side by side: a commit then writes
 * neighbouring pages, retention drops neighbouring pages, and one task is read by a seek per slot or hour. With the task
 * first, every result of a commit would touch a page of its own.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE agents (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, publicKey TEXT NOT NULL, joinedAt REAL NOT NULL, revokedAt REAL
  ) STRICT;
  CREATE TABLE join_tokens (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, createdAt REAL NOT NULL, expiresAt REAL NOT NULL, usedAt REAL
  ) STRICT;
  CREATE TABLE monitors (id TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT;
  CREATE TABLE assignments (agentId TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
  CREATE TABLE tasks (
    agentId TEXT NOT NULL, monitorId TEXT NOT NULL, id TEXT NOT NULL UNIQUE, PRIMARY KEY (agentId, monitorId)
  ) STRICT, WITHOUT ROWID;

  -- What was received of each (agent, epoch): the proof that each entry is kept once, and which are missing.
  CREATE TABLE epochs (
    id INTEGER PRIMARY KEY, agentId TEXT NOT NULL, epoch TEXT NOT NULL, ranges TEXT NOT NULL, UNIQUE (agentId, epoch)
  ) STRICT;
  CREATE TABLE gaps (
    epochId INTEGER NOT NULL, seq INTEGER NOT NULL, ranges TEXT NOT NULL, cause TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (epochId, seq)
  ) STRICT, WITHOUT ROWID;

  -- A small number for each task that ever had a result.
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, taskId TEXT NOT NULL UNIQUE, agentId TEXT NOT NULL, monitorId TEXT NOT NULL
  ) STRICT;

  -- Recent results. A finding (see run.ts) belongs to one hour of one series and goes with it.
  CREATE TABLE findings (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE results (
    slot INTEGER NOT NULL, series INTEGER NOT NULL, at INTEGER NOT NULL, epochId INTEGER NOT NULL, seq INTEGER NOT NULL,
    findingId INTEGER NOT NULL, numbers BLOB NOT NULL, PRIMARY KEY (slot, series, at, epochId, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE unsealed (hour INTEGER NOT NULL, series INTEGER NOT NULL, PRIMARY KEY (hour, series)) STRICT, WITHOUT ROWID;

  -- Sealed hours, and what the last of them ended with.
  CREATE TABLE chunks (
    hour INTEGER NOT NULL, series INTEGER NOT NULL, runs BLOB NOT NULL, PRIMARY KEY (hour, series)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE hours (
    hour INTEGER NOT NULL, series INTEGER NOT NULL, summary BLOB NOT NULL, PRIMARY KEY (hour, series)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE days (
    day INTEGER NOT NULL, series INTEGER NOT NULL, summary BLOB NOT NULL, PRIMARY KEY (day, series)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE latest (
    series INTEGER PRIMARY KEY, at INTEGER NOT NULL, finding TEXT NOT NULL, numbers BLOB NOT NULL
  ) STRICT;

  -- Before this hour nothing is kept, whenever it arrives.
  CREATE TABLE horizon (id INTEGER PRIMARY KEY CHECK (id = 1), hour INTEGER NOT NULL) STRICT;
  INSERT INTO horizon VALUES (1, 0);
  `,
  // Apart from the monitors: those of the configuration file are paused too, and are not kept here.
  `CREATE TABLE paused (monitorId TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  `
  -- Each chain of records, and its newest verified line: its number, its hash, the key of the next.
  CREATE TABLE chains (
    id INTEGER PRIMARY KEY, chain TEXT NOT NULL UNIQUE, agentId TEXT NOT NULL, sensor TEXT NOT NULL,
    firstKey TEXT, begunAt REAL NOT NULL, n INTEGER NOT NULL, head TEXT, key TEXT,
    anchorN INTEGER, anchorHead TEXT, droppedTo INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- A position is never used again, whatever was dropped: who reads in order of arrival goes on from the last one.
  CREATE TABLE records (
    position INTEGER PRIMARY KEY AUTOINCREMENT, chainId INTEGER NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL,
    event TEXT NOT NULL, address TEXT, receivedAt REAL NOT NULL, line TEXT NOT NULL, hash TEXT NOT NULL,
    UNIQUE (chainId, n)
  ) STRICT;
  CREATE INDEX records_by_time ON records (at);
  CREATE INDEX records_of_chain_by_time ON records (chainId, at);
  CREATE TABLE alarms (
    id INTEGER PRIMARY KEY, chainId INTEGER NOT NULL, n INTEGER NOT NULL, cause TEXT NOT NULL, at REAL NOT NULL,
    message TEXT NOT NULL, line TEXT, UNIQUE (chainId, cause, n)
  ) STRICT;
  `,
  `ALTER TABLE join_tokens ADD COLUMN numbersNames INTEGER NOT NULL DEFAULT 0;`,
  // The time by which retention last decided, epoch milliseconds.
  `ALTER TABLE horizon ADD COLUMN decidedAt REAL;`,
  // By the server's clock: when the last entry of an epoch came, when a gap was told, when an agent was taken away.
  `
  ALTER TABLE epochs ADD COLUMN heardAt REAL NOT NULL DEFAULT 0;
  ALTER TABLE gaps ADD COLUMN receivedAt REAL NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN removedAt REAL;
  UPDATE epochs SET heardAt = 1000.0 * unixepoch();
  UPDATE gaps SET receivedAt = 1000.0 * unixepoch();
  `,
  // Of a monitor that was deleted the name is kept as long as its results are.
  `ALTER TABLE monitors ADD COLUMN deletedAt REAL;`,
  // The newest result of each series: of the latest epoch, in the order in which the epochs were first met, the highest number.
  // Finding and numbers are in the results until their hour is sealed. Of what is there already, it is the last by time.
  `
  CREATE TABLE newest (
    series INTEGER PRIMARY KEY, epochId INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
    finding TEXT, numbers BLOB
  ) STRICT;
  INSERT INTO newest SELECT series, 0, 0, at, finding, numbers FROM latest;
  INSERT OR REPLACE INTO newest SELECT series, epochId, seq, at, NULL, NULL
  FROM (SELECT series, epochId, seq, max(at) AS at FROM results GROUP BY series) AS unsealed
  WHERE at >= coalesce((SELECT latest.at FROM latest WHERE latest.series = unsealed.series), 0);
  DROP TABLE latest;
  ALTER TABLE newest RENAME TO latest;
  `,
  // What the server last knew of each agent, for its next start.
  `CREATE TABLE agent_states (agentId TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `
  CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, agentId TEXT NOT NULL, sensor TEXT, kind TEXT NOT NULL,
    severity TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL, lastAt REAL NOT NULL, count INTEGER NOT NULL,
    seenBy TEXT, seenAt REAL, note TEXT
  ) STRICT;
  CREATE INDEX notices_by_time ON notices (lastAt);
  CREATE INDEX notices_of_agent ON notices (agentId, kind, text);
  `,
  // The last day that a series has a summary of: while it has one its number is not given to another.
  `
  ALTER TABLE series ADD COLUMN lastDay INTEGER NOT NULL DEFAULT 0;
  UPDATE series SET lastDay = found.day FROM (SELECT series, max(day) AS day FROM days GROUP BY series) AS found
  WHERE found.series = series.id;
  `,
  // Time in which an agent ran nothing, or was not heard, epoch milliseconds.
  `
  CREATE TABLE absences (
    agentId TEXT NOT NULL, fromAt REAL NOT NULL, toAt REAL NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (agentId, fromAt, toAt, reason)
  ) STRICT, WITHOUT ROWID;
  `,
  // Rooms and their sessions; the session in which a notice was told.
  `
  CREATE TABLE rooms (id TEXT PRIMARY KEY, origin TEXT NOT NULL, room TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, roomId TEXT NOT NULL, startedAt REAL NOT NULL, endsAt REAL NOT NULL, session TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE notices ADD COLUMN sessionId TEXT;
  `,
  // People, and where they are signed in: of a sign-in only the hash of its token.
  `
  CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, passwordHash TEXT NOT NULL, createdAt REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sign_ins (
    key TEXT PRIMARY KEY, accountId TEXT NOT NULL, createdAt REAL NOT NULL, expiresAt REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // What is believed of monitors and agents, and who was told of it. `json` holds the row; the other columns are for queries.
  `
  -- Results that may change a state, in the order in which they were committed, until they were taken.
  CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, runs TEXT NOT NULL) STRICT;
  CREATE TABLE policies (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
  CREATE TABLE alert_windows (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE agent_health (agentId TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE voices (
    monitorId TEXT NOT NULL, agentId TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (monitorId, agentId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE states (monitorId TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE state_changes (
    monitorId TEXT NOT NULL, at REAL NOT NULL, since REAL NOT NULL, state TEXT NOT NULL, verdict TEXT NOT NULL
  ) STRICT;
  CREATE INDEX state_changes_of_monitor ON state_changes (monitorId, at);
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, subjectKind TEXT NOT NULL, subjectId TEXT NOT NULL, startedAt REAL NOT NULL, endedAt REAL,
    json TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incidents_of_subject ON incidents (subjectKind, subjectId);
  CREATE INDEX incidents_open ON incidents (id) WHERE endedAt IS NULL;
  CREATE TABLE incident_events (
    incident TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (incident, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, transition INTEGER NOT NULL, kind TEXT NOT NULL,
    step INTEGER NOT NULL, notifier TEXT NOT NULL, dueAt REAL NOT NULL, message TEXT NOT NULL, repeatMs REAL,
    addedAt REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, triedAt REAL, held TEXT, leaseUntil REAL NOT NULL DEFAULT 0,
    outcome TEXT, finishedAt REAL, text TEXT, receipt TEXT, UNIQUE (incident, transition, kind, step, notifier)
  ) STRICT;
  CREATE INDEX outbox_waiting ON outbox (notifier, dueAt) WHERE outcome IS NULL;
  `,
];
