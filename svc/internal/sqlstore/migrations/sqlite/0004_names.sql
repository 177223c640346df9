-- +goose Up

-- Every name that a configuration has had, as long as history tells of it:
-- finds what had a name at an earlier revision. An index of changes would
-- do, but most changes leave the name alone, and each would go to a page of its own.
CREATE TABLE names (
    application_id   TEXT NOT NULL,
    name             TEXT NOT NULL,
    configuration_id TEXT NOT NULL,
    PRIMARY KEY (application_id, name, configuration_id)
) STRICT, WITHOUT ROWID;
INSERT INTO names
    SELECT DISTINCT application_id, name, configuration_id FROM changes WHERE configuration_id IS NOT NULL;
DROP INDEX changes_by_name;
