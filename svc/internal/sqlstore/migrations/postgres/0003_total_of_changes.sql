-- +goose Up

-- What it means is told in migrations/sqlite.
ALTER TABLE store ADD COLUMN changes bigint NOT NULL DEFAULT 0;
UPDATE store SET changes = (SELECT count(*) FROM changes);
