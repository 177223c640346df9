-- +goose Up

-- What the tables mean is told in migrations/sqlite, column by column.
CREATE TABLE tokens (
    id           text COLLATE "C" PRIMARY KEY,
    name         text COLLATE "C" NOT NULL UNIQUE,
    hash         bytea NOT NULL UNIQUE,
    scope        text NOT NULL,
    applications text,
    created_at   bigint NOT NULL,
    expires_at   bigint
);

CREATE TABLE token_changes (
    id      integer PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL
);
INSERT INTO token_changes VALUES (1, 0);
