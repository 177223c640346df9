-- +goose Up

-- "Conf" in ASCII: tells our files from another program's.
PRAGMA application_id = 0x436F6E66;

-- One row: the last committed revision, its time, and the totals, kept by every
-- write. Later revisions have later times, whatever the clocks say.
CREATE TABLE store (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    revision       INTEGER NOT NULL,
    committed_at   INTEGER NOT NULL,
    pruned         INTEGER NOT NULL, -- the last revision that history lacks something of
    applications   INTEGER NOT NULL,
    configurations INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (1, 0, 0, 0, 0, 0);

-- Times are microseconds since 1970 in UTC; ids are ULIDs, so their order is
-- that of creation.
CREATE TABLE applications (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL UNIQUE,
    comments   TEXT,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE configurations (
    id             TEXT PRIMARY KEY NOT NULL,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    comments       TEXT,
    config         TEXT NOT NULL,
    version        INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (application_id, name)
) STRICT;
CREATE INDEX configurations_of_application ON configurations (application_id, id);

-- Every change, in order: the history of each configuration, the feed of
-- watchers, and the audit. Changes of one transaction share its revision. It
-- outlives what it tells of, hence no foreign keys.
CREATE TABLE changes (
    revision         INTEGER NOT NULL,
    ordinal          INTEGER NOT NULL, -- within the revision, from 0
    operation        TEXT NOT NULL,    -- create, update, rollback, delete
    application_id   TEXT NOT NULL,
    configuration_id TEXT,             -- null: the application itself changed
    version          INTEGER,          -- of the configuration
    name             TEXT NOT NULL,
    comments         TEXT,
    config           TEXT,             -- null: deleted, no longer kept, or the application itself
    changed_by       TEXT,             -- null: not known
    changed_from     TEXT,             -- the address of who; null: not known
    created_at       INTEGER NOT NULL, -- of the application or configuration
    changed_at       INTEGER NOT NULL,
    PRIMARY KEY (revision, ordinal)
) STRICT;
CREATE INDEX changes_by_time ON changes (changed_at);
CREATE INDEX changes_of_configuration ON changes (configuration_id, revision) WHERE configuration_id IS NOT NULL;
CREATE INDEX changes_by_name ON changes (application_id, name, revision) WHERE configuration_id IS NOT NULL;
CREATE INDEX changes_of_application ON changes (application_id, revision) WHERE configuration_id IS NULL;
CREATE INDEX changes_by_application_name ON changes (name, revision) WHERE configuration_id IS NULL;
