-- What results depend on, as JSON: one row.
CREATE TABLE settings (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    settings TEXT NOT NULL
) STRICT;

-- Results of items by the item's id, as JSON.
CREATE TABLE results (
    id     TEXT PRIMARY KEY,
    result TEXT NOT NULL
) STRICT;
