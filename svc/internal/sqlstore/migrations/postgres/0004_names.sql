-- +goose Up

-- What it means is told in migrations/sqlite.
CREATE TABLE names (
    application_id   text COLLATE "C" NOT NULL,
    name             text COLLATE "C" NOT NULL,
    configuration_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (application_id, name, configuration_id)
);
INSERT INTO names
    SELECT DISTINCT application_id, name, configuration_id FROM changes WHERE configuration_id IS NOT NULL;
DROP INDEX changes_by_name;
