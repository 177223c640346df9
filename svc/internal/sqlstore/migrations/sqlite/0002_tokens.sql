-- +goose Up

-- Who may call the API. The secret is not here, only what recognizes it.
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL UNIQUE,
    hash         BLOB NOT NULL UNIQUE, -- SHA-256 of the secret
    scope        TEXT NOT NULL,        -- read, write, admin
    applications TEXT,                 -- JSON array of ids, without foreign keys: a token must
                                       -- not come to be good for more; null: all of them
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER               -- null: never
) STRICT;

-- One row: counts the changes of the table above, so that a service learns of
-- them by looking at one number.
CREATE TABLE token_changes (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO token_changes VALUES (1, 0);
