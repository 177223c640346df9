-- +goose Up

-- What the tables mean is told in migrations/sqlite, column by column. Ids and
-- names compare byte by byte, whatever the database's locale.
CREATE TABLE store (
    id             integer PRIMARY KEY CHECK (id = 1),
    revision       bigint NOT NULL,
    committed_at   bigint NOT NULL,
    pruned         bigint NOT NULL,
    applications   bigint NOT NULL,
    configurations bigint NOT NULL
) WITH (fillfactor = 10); -- room for the one row's next versions beside it: no index to update
INSERT INTO store VALUES (1, 0, 0, 0, 0, 0);

-- Tells our tables from another program's.
COMMENT ON TABLE store IS 'Configuration Service';

CREATE TABLE applications (
    id         text COLLATE "C" PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE,
    comments   text,
    revision   bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

-- config is text: jsonb would not keep the numbers' text, nor U+0000.
CREATE TABLE configurations (
    id             text COLLATE "C" PRIMARY KEY,
    application_id text COLLATE "C" NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    name           text COLLATE "C" NOT NULL,
    comments       text,
    config         text NOT NULL,
    version        bigint NOT NULL,
    revision       bigint NOT NULL,
    created_at     bigint NOT NULL,
    updated_at     bigint NOT NULL,
    UNIQUE (application_id, name)
);
CREATE INDEX configurations_of_application ON configurations (application_id, id);

CREATE TABLE changes (
    revision         bigint NOT NULL,
    ordinal          integer NOT NULL,
    operation        text NOT NULL,
    application_id   text COLLATE "C" NOT NULL,
    configuration_id text COLLATE "C",
    version          bigint,
    name             text COLLATE "C" NOT NULL,
    comments         text,
    config           text,
    changed_by       text COLLATE "C",
    changed_from     text,
    created_at       bigint NOT NULL,
    changed_at       bigint NOT NULL,
    PRIMARY KEY (revision, ordinal)
);
CREATE INDEX changes_by_time ON changes (changed_at);
CREATE INDEX changes_of_configuration ON changes (configuration_id, revision) WHERE configuration_id IS NOT NULL;
CREATE INDEX changes_by_name ON changes (application_id, name, revision) WHERE configuration_id IS NOT NULL;
CREATE INDEX changes_of_application ON changes (application_id, revision) WHERE configuration_id IS NULL;
CREATE INDEX changes_by_application_name ON changes (name, revision) WHERE configuration_id IS NULL;

-- Each transaction that takes a revision tells so when it commits, on the
-- channel that has the schema's name: whoever listens need not ask again and
-- again.
-- +goose StatementBegin
CREATE FUNCTION announce_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA, '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER announce_revision AFTER UPDATE OF revision ON store
    FOR EACH ROW EXECUTE FUNCTION announce_revision();
