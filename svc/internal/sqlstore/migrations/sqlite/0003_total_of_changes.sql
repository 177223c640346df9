-- +goose Up

-- How many rows the table of changes has: a page of the audit tells it, and
-- must not count them.
ALTER TABLE store ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
UPDATE store SET changes = (SELECT count(*) FROM changes);
