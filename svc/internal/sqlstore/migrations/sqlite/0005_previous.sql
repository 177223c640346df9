-- +goose Up

-- Each version of a configuration tells the revision of the one before it, 0
-- when it is the first, -1 when that was no longer kept when this column came.
-- Only every 16th is in the index, with the delete that ends them: an entry for
-- each was a page to be written for each change.
ALTER TABLE changes ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET previous = coalesce((
    SELECT max(p.revision) FROM changes p
    WHERE p.configuration_id = changes.configuration_id AND p.revision < changes.revision), -1)
    WHERE version > 1;
DROP INDEX changes_of_configuration;
CREATE INDEX changes_of_configuration ON changes (configuration_id, revision)
    WHERE configuration_id IS NOT NULL AND (version % 16 = 0 OR operation = 'delete');

-- An older program that still runs must not cut a history off unnoticed.
-- +goose StatementBegin
CREATE TRIGGER changes_have_previous BEFORE INSERT ON changes WHEN NEW.version > 1 AND NEW.previous = 0
BEGIN
    SELECT raise(ABORT, 'a newer program has changed the schema: restart this one, or run the newer');
END;
-- +goose StatementEnd

-- A configuration's names are forgotten with the last that history tells of it.
CREATE INDEX names_of_configuration ON names (configuration_id);
