-- +goose Up

-- What it means is told in migrations/sqlite.
ALTER TABLE changes ADD COLUMN previous bigint NOT NULL DEFAULT 0;
UPDATE changes SET previous = coalesce(p.revision, -1)
    FROM (SELECT revision AS next, ordinal, lag(revision) OVER (PARTITION BY configuration_id ORDER BY revision) AS revision
        FROM changes WHERE configuration_id IS NOT NULL) p
    WHERE changes.revision = p.next AND changes.ordinal = p.ordinal AND changes.version > 1;
ALTER TABLE changes ADD CONSTRAINT changes_have_previous CHECK (version IS NULL OR version = 1 OR previous <> 0);
DROP INDEX changes_of_configuration;
CREATE INDEX changes_of_configuration ON changes (configuration_id, revision)
    WHERE configuration_id IS NOT NULL AND (version % 16 = 0 OR operation = 'delete');
CREATE INDEX names_of_configuration ON names (configuration_id);
